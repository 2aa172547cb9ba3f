import type { DeadLetter } from './dead-letter.js';
import type { Disposition } from './handled.js';
import type { Place } from './find.js';

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
  /** The letter at this position. */
  readonly place?: Place | undefined;
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
  { record, reason, stage }: DeadLetter,
  {
    reason: wantedReason,
    stage: wantedStage,
    since = -Infinity,
    until = Infinity,
    keys,
    place,
  }: DeadLetterFilter,
): boolean {
  const { timestamp, key } = record;
  if (place && !isAt(record, place)) return false;
  if (timestamp < since || timestamp >= until) return false;
  if (wantedReason !== undefined && !isReason(reason, wantedReason)) return false;
  if (wantedStage !== undefined && stage?.toLowerCase() !== wantedStage.toLowerCase()) return false;
  return keys === undefined || keys.some((wanted) => key?.equals(wanted));
}

function isAt({ topic, partition, offset }: Place, place: Place): boolean {
  return topic === place.topic && partition === place.partition && offset === place.offset;
}

function isReason(reason: string | undefined, wanted: string): boolean {
  return reason === wanted || (reason?.split(/[.$]/).at(-1) ?? '') === wanted;
}

/** Returns true if the filter selects fewer than all unhandled letters. */
export function isNarrow({ reason, stage, since, until, keys, place }: DeadLetterFilter): boolean {
  return [reason, stage, since, until, keys, place].some((part) => part !== undefined);
}

/** Returns the key as text and, if it is written like one that `list` prints, as decoded hexadecimal digits. */
export function keysOf(key: string): Buffer[] {
  const text = Buffer.from(key);
  const [, digits] = /^0x((?:[0-9a-f]{2})*)$/i.exec(key) ?? [];
  return digits === undefined ? [text] : [text, Buffer.from(digits, 'hex')];
}
