import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headStartMs } from './priority.js';

test('each level of priority is a head start of a second, and bulk work waits', () => {
  assert.deepEqual(
    [undefined, '0', '1', '9', 'bulk'].map((priority) => headStartMs(priority)),
    [0, 0, 1_000, 9_000, -30_000],
  );
  for (const wrong of ['10', '-1', '', 'high'])
    assert.throws(() => headStartMs(wrong), /parameters\.priority: expected 0 to 9 or 'bulk', got/);
});
