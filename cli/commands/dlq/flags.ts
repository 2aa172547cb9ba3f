import type { DeadLetterFilter } from '../../../operations/dead-letters/filter.js';
import { PartituraError } from '../../../schemas/errors.js';

/** The filters as the command line has them, moments in milliseconds since the epoch. */
export interface FilterFlags {
  readonly reason?: string;
  readonly stage?: string;
  readonly since?: number;
  readonly until?: number;
  readonly key?: string;
  readonly all: boolean;
}

/** @throws PartituraError INVALID_REQUEST when nothing could match */
export function filterOf({ reason, stage, since, until, key, all }: FilterFlags): DeadLetterFilter {
  if (since !== undefined && until !== undefined && since >= until)
    throw new PartituraError(
      'INVALID_REQUEST',
      `--since: expected a time before --until (${new Date(until).toISOString()}), got ${new Date(since).toISOString()}`,
    );
  return { reason, stage, since, until, all, keys: key === undefined ? undefined : keysOf(key) };
}

/** The key as text, and as hexadecimal digits where lists show it so. */
function keysOf(key: string): Buffer[] {
  const text = Buffer.from(key);
  const [, digits] = /^0x((?:[0-9a-f]{2})*)$/i.exec(key) ?? [];
  return digits === undefined ? [text] : [text, Buffer.from(digits, 'hex')];
}
