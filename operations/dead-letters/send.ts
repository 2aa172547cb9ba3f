import type { Outbox } from '../../kafka/sending/outbox.js';
import type { KafkaError, KafkaRecord, OutgoingRecord } from '../../kafka/port.js';
import { firstThatFits, sendAttempt } from '../../kafka/sending/attempt.js';
import { markOf, type Disposition } from './handled.js';

/** Sends records in order. @returns the failure of each; undefined if the broker acknowledged it */
export async function sendAll(
  outbox: Outbox,
  records: readonly OutgoingRecord[],
): Promise<(KafkaError | undefined)[]> {
  const failures = new Array<KafkaError | undefined>(records.length);
  for (const [index, record] of records.entries())
    sendAttempt(outbox, firstThatFits(record, { ...record, compress: true }), {
      delivered: () => undefined,
      failed: (failure) => (failures[index] = failure),
    });
  await outbox.settled();
  return failures;
}

/** Writes the marks of handled letters. @throws KafkaError if at least one could not be written */
export async function markHandled(
  outbox: Outbox,
  topic: string,
  letters: readonly KafkaRecord[],
  disposition: Disposition,
): Promise<void> {
  const now = Date.now();
  await sendOrThrow(
    outbox,
    letters.map((letter) => markOf(topic, letter, disposition, now)),
  );
}

/** @throws KafkaError unless the broker acknowledged all of them */
export async function sendOrThrow(outbox: Outbox, records: readonly OutgoingRecord[]): Promise<void> {
  const failure = (await sendAll(outbox, records)).find((one) => one !== undefined);
  if (failure) throw failure;
}

/** Yields parts of at most `size` elements. */
export function* inParts<T>(list: readonly T[], size: number): Generator<T[]> {
  for (let begin = 0; begin < list.length; begin += size) yield list.slice(begin, begin + size);
}
