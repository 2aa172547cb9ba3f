import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDense } from './read-tensor.js';

const ROWS = 50;

/** A map that counts how often all of it is read. */
class CountedMap extends Map<number, bigint> {
  reads = 0;

  override [Symbol.iterator](): MapIterator<[number, bigint]> {
    this.reads++;
    return super[Symbol.iterator]();
  }
}

test('the long integers of an array within a list are not read again for each row', () => {
  const exact = new CountedMap([[3, 2n ** 60n]]);
  const values = Float64Array.from({ length: ROWS }, (_, index) => index);
  const { shape, elements } = readDense([{ shape: [ROWS, 1], values, exact }]);
  assert.deepEqual(shape, [1, ROWS, 1]);
  assert.deepEqual((elements as unknown[]).slice(0, 5), [0, 1, 2, 2n ** 60n, 4]);
  assert.ok(exact.reads <= 1, `${exact.reads} reads`);
});

test('an array that is nested too deep or has another size is refused with its level', () => {
  const array = (shape: number[]) => ({ shape, values: new Float64Array(2), exact: new Map() });
  assert.throws(
    () => readDense([array([2]), array([1, 2])]),
    /unexpected size: 1 at level: 1 expected size: 2/,
  );
  assert.throws(() => readDense([array([2]), array([2, 1])]), /unexpected level: 2 expected < 2/);
});
