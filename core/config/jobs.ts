import { count, option, optionalText } from './option.js';

/** Options of the coordinator of split jobs. */
export const COORDINATOR = {
  jobFiles: option(
    'PARTITURA_JOB_FILES',
    optionalText,
    undefined,
    'Folder whose files jobs may read and write; if unset, jobs use no files. All coordinators need the same one',
  ),
  jobsAtOnce: option('PARTITURA_JOBS_AT_ONCE', count, 4, 'Jobs that a coordinator runs at once; others wait'),
  jobPartsAtOnce: option(
    'PARTITURA_JOB_PARTS_AT_ONCE',
    count,
    32,
    'Parts of one job that are with nodes at once',
  ),
  jobPartTimeoutMs: option(
    'PARTITURA_JOB_PART_TIMEOUT_MS',
    count,
    120_000,
    'Milliseconds after which a part without an answer is sent again',
  ),
};
