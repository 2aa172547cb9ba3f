import type { JOB_KINDS } from '../../cluster/jobs/job-status.js';
import type { JobKind } from './kind.js';
import { map } from './map.js';
import { matmul, matvec } from './multiply.js';
import { reduce } from './reduce.js';
import { scan } from './scan.js';
import { taskKind } from './task.js';

const KINDS: Readonly<Record<(typeof JOB_KINDS)[number], JobKind>> = { map, reduce, scan, matvec, matmul };

/** Finds the kind of a job: one that comes with Partitura, or an operator's task of that name. */
export function kindNamed(name: string): JobKind {
  return Object.values(KINDS).find((kind) => kind.name === name) ?? taskKind(name);
}
