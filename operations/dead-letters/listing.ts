import type { KafkaRecord } from '../../kafka/port.js';
import type { Disposition } from './handled.js';
import type { DeadLetter, Origin } from './dead-letter.js';
import { textOrHex } from '../../core/printable.js';
import { Counts } from './counts.js';

const MAX_KEY_BYTES = 256;

/** A row of a list; it retains no bytes of the record. */
export interface ListedDeadLetter extends Pick<KafkaRecord, 'topic' | 'partition' | 'offset' | 'timestamp'> {
  readonly disposition: Disposition | undefined;
  readonly reason: string | undefined;
  readonly stage: string | undefined;
  readonly message: string | undefined;
  /** Text, or `0x` and hexadecimal digits; null without a key. */
  readonly key: string | null;
  readonly origin: Origin | undefined;
  readonly replays: number;
}

/** The newest letters and the counts of all; memory does not grow with the topics. */
export class Listing {
  readonly byReason = new Counts();
  #newest: ListedDeadLetter[] = [];

  /** @param limit number of letters to keep */
  constructor(readonly limit: number) {}

  add(letter: DeadLetter, disposition: Disposition | undefined): void {
    this.byReason.add(letter.reason ?? '(no reason)');
    this.#newest.push(listed(letter, disposition));
    if (this.#newest.length >= 2 * this.limit + 1_000) this.#newest = this.#cut();
  }

  /** Returns the newest letters in time order. */
  newest(): ListedDeadLetter[] {
    return this.#cut();
  }

  #cut(): ListedDeadLetter[] {
    const sorted = this.#newest.sort((a, b) => a.timestamp - b.timestamp);
    return sorted.slice(Math.max(0, sorted.length - this.limit));
  }
}

function listed(
  { record, reason, stage, message, origin, replays }: DeadLetter,
  disposition: Disposition | undefined,
): ListedDeadLetter {
  const { topic, partition, offset, timestamp, key } = record;
  return {
    topic,
    partition,
    offset,
    timestamp,
    disposition,
    reason,
    stage,
    message,
    key: key && textOrHex(key, MAX_KEY_BYTES),
    origin,
    replays,
  };
}
