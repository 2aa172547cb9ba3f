import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextFetchWait } from './fetch-wait.js';

const IDLE = { minBytes: 1, maxWaitMs: 200 };

test('with few callers, a fetch returns as soon as any record is available', () => {
  assert.deepEqual(nextFetchWait(undefined), IDLE);
  assert.deepEqual(nextFetchWait({ records: 0, bytes: 0, minBytes: 1 }), IDLE);
  assert.deepEqual(nextFetchWait({ records: 3, bytes: 100_000, minBytes: 1 }), IDLE);
});

test('under load, a fetch waits briefly for slightly more than the last one returned', () => {
  const wait = nextFetchWait({ records: 4, bytes: 2_000, minBytes: 1 });
  assert.deepEqual(wait, { minBytes: 2_500, maxWaitMs: 3 });
});

test('after a wait that timed out, the next fetch waits for slightly less', () => {
  assert.equal(nextFetchWait({ records: 4, bytes: 2_000, minBytes: 2_001 }).minBytes, 1_600);
});

test('the target size is capped', () => {
  assert.equal(nextFetchWait({ records: 1_000, bytes: 8_000_000, minBytes: 1 }).minBytes, 64 * 1024);
});
