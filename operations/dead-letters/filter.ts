import type { DeadLetter } from './dead-letter.js';
import type { Disposition } from './handled.js';

/** Which letters are meant: those that match all that is given. */
export interface DeadLetterFilter {
  /** Whole, or the last part of a class's name. */
  readonly reason?: string | undefined;
  /** In letters of either case. */
  readonly stage?: string | undefined;
  /** Milliseconds since the epoch at which it became a dead letter, this one included. */
  readonly since?: number | undefined;
  /** The same, without this one. */
  readonly until?: number | undefined;
  /** Bytes that the key may have. */
  readonly keys?: readonly Buffer[] | undefined;
  /** Whether those that were replayed or dropped are meant as well. */
  readonly all: boolean;
}

export function matchesFilter(
  letter: DeadLetter,
  handling: Disposition | undefined,
  filter: DeadLetterFilter,
): boolean {
  return (handling === undefined || filter.all) && matches(letter, filter);
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

/** Whether it means fewer than all letters that are not handled. */
export function isNarrow({ reason, stage, since, until, keys }: DeadLetterFilter): boolean {
  return [reason, stage, since, until, keys].some((part) => part !== undefined);
}
