import assert from 'node:assert/strict';
import { test } from 'node:test';
import { halved, toRanges } from './acknowledgements.js';

test('consecutive offsets become one range, with one type if it is the same for all', () => {
  const types = new Map([
    [7, 'accept'],
    [5, 'accept'],
    [6, 'accept'],
    [9, 'reject'],
    [10, 'gap'],
    [12, 'release'],
  ] as const);
  assert.deepEqual(toRanges(types), [
    { first: 5, last: 7, types: ['accept'] },
    { first: 9, last: 10, types: ['reject', 'gap'] },
    { first: 12, last: 12, types: ['release'] },
  ]);
  assert.deepEqual(toRanges(new Map()), []);
});

test('halves hold every offset once, in order', () => {
  const types = new Map([3, 1, 2].map((offset) => [offset, 'accept'] as const));
  assert.deepEqual(
    halved(types).map((half) => [...half.keys()]),
    [[1, 2], [3]],
  );
  assert.deepEqual(halved(new Map([[4, 'accept']])), [new Map([[4, 'accept']])]);
});
