import { keysOf, type DeadLetterFilter } from '../../../operations/dead-letters/filter.js';
import { invalidRequest } from '../../../schemas/errors.js';

/** Filter flags of the command line; times in milliseconds since the epoch. */
export interface FilterFlags {
  readonly reason?: string;
  readonly stage?: string;
  readonly since?: number;
  readonly until?: number;
  readonly key?: string;
  readonly all: boolean;
}

/** Converts the flags to a filter. @throws PartituraError INVALID_REQUEST if nothing could match */
export function filterOf({ reason, stage, since, until, key, all }: FilterFlags): DeadLetterFilter {
  if (since !== undefined && until !== undefined && since >= until)
    throw invalidRequest(
      `--since: expected a time before --until (${new Date(until).toISOString()}), got ${new Date(since).toISOString()}`,
    );
  return { reason, stage, since, until, all, keys: key === undefined ? undefined : keysOf(key) };
}
