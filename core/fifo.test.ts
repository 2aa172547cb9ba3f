import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fifo } from './fifo.js';

test('entries leave in the order in which they were added, also after a compaction', () => {
  const fifo = new Fifo<number>();
  const left: (number | undefined)[] = [];
  for (let round = 0; round < 10; round++) {
    for (let entry = 0; entry < 1_000; entry++) fifo.push(round * 1_000 + entry);
    for (let entry = 0; entry < 900; entry++) left.push(fifo.shift());
  }
  assert.equal(fifo.length, 1_000);
  assert.equal(fifo.at(0), 9_000);
  assert.equal(fifo.at(999), 9_999);
  assert.deepEqual(
    left,
    Array.from({ length: 9_000 }, (_, index) => index),
  );
  assert.deepEqual(fifo.toArray().slice(0, 2), [9_000, 9_001]);
});

test('an empty queue returns nothing and remains usable', () => {
  const fifo = new Fifo<string>();
  assert.equal(fifo.shift(), undefined);
  fifo.push('a');
  assert.deepEqual([fifo.shift(), fifo.shift(), fifo.length], ['a', undefined, 0]);
  assert.equal(fifo.at(0), undefined);
});
