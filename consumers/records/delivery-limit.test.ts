import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastResortDelivery } from './delivery-limit.js';

test('a record is given up one delivery before the broker archives it, but not before it was a suspect twice', () => {
  assert.deepEqual([2, 3, 4, 5, 10].map(lastResortDelivery), [2, 3, 3, 4, 9]);
});
