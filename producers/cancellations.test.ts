import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_CORRELATIONS, readCancellation } from '../cluster/cancellations.js';
import { KafkaError, type OutgoingRecord } from '../kafka/port.js';
import { silent } from '../testing/records.js';
import { Cancellations } from './cancellations.js';

/** Collects the ids of each record; `fail` decides what a send throws. */
function cancelling(fail: (attempt: number) => KafkaError | undefined = () => undefined) {
  const sent: (readonly string[])[] = [];
  const send = async (records: readonly OutgoingRecord[]): Promise<void> => {
    sent.push(...records.map(readCancellation));
    await Promise.resolve();
    const error = fail(sent.length);
    if (error) throw error;
  };
  return { sent, cancellations: new Cancellations({ producer: { send }, topic: 't', log: silent }) };
}

test('requests that are abandoned together share a record, and a record is bounded', async () => {
  const { sent, cancellations } = cancelling();
  const ids = Array.from({ length: MAX_CORRELATIONS + 2 }, (_, index) => `c${index}`);
  for (const id of ids) cancellations.add(id);
  await cancellations.settled();
  assert.deepEqual(
    sent.map(({ length }) => length),
    [MAX_CORRELATIONS, 2],
  );
  assert.deepEqual(sent.flat(), ids);
});

test('a failed cancellation does not end the later ones, a missing right does', async () => {
  const { sent, cancellations } = cancelling((attempt) =>
    attempt === 1 ? new KafkaError('unavailable', 'away') : new KafkaError('not-authorized', 'no'),
  );
  for (const id of ['a', 'b', 'c']) {
    cancellations.add(id);
    await cancellations.settled();
  }
  assert.deepEqual(sent, [['a'], ['b']]);
});
