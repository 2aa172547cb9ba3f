import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capacityOf } from './capacity.js';

const batcher = (
  idleRows: number,
  startingWithin: number,
  pendingRows = 0,
): { idleRows: number; pendingRows: number; rowsStartingWithin: (ms: number) => number } => ({
  idleRows,
  pendingRows,
  rowsStartingWithin: (ms) => (ms === 0 ? 0 : startingWithin),
});
const IDLE = batcher(8, 3);

test('an idle model takes what its engine starts with, a busy one what it gets to in time', () => {
  assert.equal(capacityOf([{ batcher: IDLE, suspects: IDLE }], 0), 8);
  assert.equal(capacityOf([{ batcher: batcher(0, 3, 8), suspects: IDLE }], 0), 0);
  assert.equal(capacityOf([{ batcher: batcher(0, 3, 8), suspects: IDLE }], 10), 3);
});

test('a model that computes suspects, or another signature, takes no more than that leaves', () => {
  assert.equal(capacityOf([{ batcher: IDLE, suspects: batcher(0, 0, 5) }], 10), 0);
  const other = { batcher: batcher(2, 0, 1), suspects: IDLE };
  assert.equal(capacityOf([{ batcher: IDLE, suspects: IDLE }, other], 10), 2);
});
