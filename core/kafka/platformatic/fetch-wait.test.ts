import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextFetchWait } from './fetch-wait.js';

const IDLE = { minBytes: 1, maxWaitMs: 200 };

test('a fetch does not wait for more than there is while there are few callers', () => {
  assert.deepEqual(nextFetchWait(undefined), IDLE);
  assert.deepEqual(nextFetchWait({ records: 0, bytes: 0 }), IDLE);
  assert.deepEqual(nextFetchWait({ records: 3, bytes: 100_000 }), IDLE);
});

test('under load it gathers twice what the last one brought, for a moment at most', () => {
  assert.deepEqual(nextFetchWait({ records: 4, bytes: 2_000 }), { minBytes: 4_000, maxWaitMs: 2 });
});

test('it does not gather more than what is enough', () => {
  assert.equal(nextFetchWait({ records: 1_000, bytes: 8_000_000 }).minBytes, 64 * 1024);
});
