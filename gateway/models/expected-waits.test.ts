import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExpectedWaits } from './expected-waits.js';

test('an expected wait is computed once for the requests of a moment, for each model', () => {
  let now = 0;
  const computed: string[] = [];
  const waits = new ExpectedWaits(
    (model) => computed.push(model),
    () => now,
  );
  assert.deepEqual([waits.of('a'), waits.of('a'), waits.of('b')], [1, 1, 2]);
  now = 1_000;
  assert.equal(waits.of('a'), 3);
  assert.deepEqual(computed, ['a', 'b', 'a']);
});
