import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextFetchWait } from './fetch-wait.js';

const IDLE = { minBytes: 1, maxWaitMs: 200 };

test('a fetch does not wait for more than there is while there are few callers', () => {
  assert.deepEqual(nextFetchWait(undefined), IDLE);
  assert.deepEqual(nextFetchWait({ records: 0, bytes: 0, minBytes: 1 }), IDLE);
  assert.deepEqual(nextFetchWait({ records: 3, bytes: 100_000, minBytes: 1 }), IDLE);
});

test('under load it waits a moment for a little more than the last one brought', () => {
  const wait = nextFetchWait({ records: 4, bytes: 2_000, minBytes: 1 });
  assert.deepEqual(wait, { minBytes: 2_500, maxWaitMs: 3 });
});

test('after one that waited in vain it goes as soon as nearly as much is there', () => {
  assert.equal(nextFetchWait({ records: 4, bytes: 2_000, minBytes: 2_001 }).minBytes, 1_600);
});

test('it does not wait for more than what is enough', () => {
  assert.equal(nextFetchWait({ records: 1_000, bytes: 8_000_000, minBytes: 1 }).minBytes, 64 * 1024);
});
