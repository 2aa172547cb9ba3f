import type { DeadLetter } from './dead-letter.js';
import type { Disposition } from './handled.js';

/** A filter for dead letters; all given conditions must match. */
export interface DeadLetterFilter {
  /** The whole reason, or the last part of a class name. */
  readonly reason?: string | undefined;
  /** Case-insensitive. */
  readonly stage?: string | undefined;
  /** Milliseconds since the epoch of the dead letter, inclusive. */
  readonly since?: number | undefined;
  /** Milliseconds since the epoch of the dead letter, exclusive. */
  readonly until?: number | undefined;
  /** Accepted keys. */
  readonly keys?: readonly Buffer[] | undefined;
  /** True to include replayed and dropped letters. */
  readonly all: boolean;
}

export function matchesFilter(
  letter: DeadLetter,
  disposition: Disposition | undefined,
  filter: DeadLetterFilter,
): boolean {
  return (disposition === undefined || filter.all) && matches(letter, filter);
}

function matches(
  { record: { timestamp, key }, reason, stage }: DeadLetter,
  { reason: wantedReason, stage: wantedStage, since = -Infinity, until = Infinity, keys }: DeadLetterFilter,
): boolean {
  if (timestamp < since || timestamp >= until) return false;
  if (wantedReason !== undefined && !isReason(reason, wantedReason)) return false;
  if (wantedStage !== undefined && stage?.toLowerCase() !== wantedStage.toLowerCase()) return false;
  return keys === undefined || keys.some((wanted) => key?.equals(wanted));
}

function isReason(reason: string | undefined, wanted: string): boolean {
  return reason === wanted || (reason?.split(/[.$]/).at(-1) ?? '') === wanted;
}

/** Returns true if the filter selects fewer than all unhandled letters. */
export function isNarrow({ reason, stage, since, until, keys }: DeadLetterFilter): boolean {
  return [reason, stage, since, until, keys].some((part) => part !== undefined);
}
