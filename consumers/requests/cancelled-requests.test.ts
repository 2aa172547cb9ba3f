import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cancellationRecord } from '../../cluster/cancellations.js';
import type { KafkaRecord } from '../../kafka/port.js';
import { exampleRecord } from '../../testing/records.js';
import { CancelledRequests } from './cancelled-requests.js';

const cancelling = (...ids: string[]): KafkaRecord =>
  exampleRecord({ value: cancellationRecord('t', ids).value });

test('a request is known as cancelled by its correlation id, until the record is old', () => {
  let now = 0;
  const cancelled = new CancelledRequests(() => now);
  assert.equal(cancelled.has(Buffer.from('a')), false);
  cancelled.add([cancelling('a', 'b')]);
  assert.deepEqual(
    [Buffer.from('a'), Buffer.from('c'), undefined].map((id) => cancelled.has(id)),
    [true, false, false],
  );
  now = 10 * 60_000;
  cancelled.add([cancelling('c')]);
  assert.deepEqual(
    ['a', 'b', 'c'].map((id) => cancelled.has(Buffer.from(id))),
    [false, false, true],
  );
});

test('memory is bounded: the oldest ids are forgotten', () => {
  const cancelled = new CancelledRequests(() => 0);
  for (let first = 0; first < 101_000; first += 1_000)
    cancelled.add([cancelling(...Array.from({ length: 1_000 }, (_, index) => `c${first + index}`))]);
  assert.equal(cancelled.has(Buffer.from('c0')), false);
  assert.equal(cancelled.has(Buffer.from('c100999')), true);
});
