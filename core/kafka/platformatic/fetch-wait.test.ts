import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextFetchWait } from './fetch-wait.js';

test('a fetch waits neither for more than there is, nor long for anything', () => {
  for (const recent of [
    undefined,
    { records: 0, bytes: 0, tookMs: 200 },
    { records: 900, bytes: 1e6, tookMs: 1 },
  ]) {
    const { minBytes, maxWaitMs } = nextFetchWait(recent);
    assert.equal(minBytes, 1);
    assert.ok(maxWaitMs > 0 && maxWaitMs <= 200);
  }
});
