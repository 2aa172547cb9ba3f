import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharePartition } from './share-partition.js';

const LOCK_MS = 1_000;

function holding(...offsets: number[]): SharePartition {
  const partition = new SharePartition(0);
  for (const offset of offsets) partition.acquire(offset, 0);
  return partition;
}

test('a record is acknowledged once, and only while it is held', () => {
  const partition = holding(5);
  assert.equal(partition.settle(5, 'accept', 10), true);
  assert.equal(partition.settle(5, 'reject', 11), false);
  assert.equal(partition.settle(6, 'accept', 12), false);
  assert.equal(partition.owedSince, 10);
  assert.deepEqual([...partition.takeOwed()], [[5, 'accept']]);
  assert.deepEqual([partition.isFinished, partition.owedSince], [true, Infinity]);
});

test('locks are renewed at half of their time, the oldest first, until they are settled', () => {
  const partition = holding(1, 2);
  partition.acquire(3, 300);
  assert.equal(partition.nextRenewalAt(LOCK_MS), 500);
  assert.deepEqual([...partition.renewals(499, LOCK_MS)], []);
  partition.settle(1, 'accept', 400);
  const due = partition.renewals(500, LOCK_MS);
  assert.deepEqual([...due], [[2, 'renew']]);
  partition.acknowledged(due, 510);
  assert.deepEqual([...partition.renewals(700, LOCK_MS)], []);
  assert.deepEqual([...partition.renewals(800, LOCK_MS).keys()], [3]);
  assert.deepEqual([...partition.renewals(1_010, LOCK_MS).keys()], [3, 2]);
});

test('a lock that could not be renewed is given up when it expires', () => {
  const partition = holding(1, 2);
  partition.acquire(2, 600);
  assert.equal(partition.expire(1_000, LOCK_MS), 1);
  assert.equal(partition.settle(1, 'accept', 1_000), false);
  assert.equal(partition.settle(2, 'accept', 1_000), true);
});

test('refused acknowledgements are sent again in halves, until the record that is not held is alone', () => {
  const partition = holding(1, 2, 3);
  for (const offset of [1, 2, 3]) partition.settle(offset, 'accept', 0);
  assert.equal(partition.refused(partition.takeOwed()), 0);
  const first = partition.takeDoubtful();
  assert.deepEqual([...(first ?? []).keys()], [1, 2]);
  const second = partition.takeDoubtful();
  assert.deepEqual([...(second ?? []).keys()], [3]);
  assert.equal(partition.refused(second ?? new Map()), 1);
  assert.equal(partition.takeDoubtful(), undefined);
});

test('a renewal that is refused alone loses its lock', () => {
  const partition = holding(1);
  assert.equal(partition.refused(partition.renewals(600, LOCK_MS)), 1);
  assert.equal(partition.held, 0);
});

test('with its connection or leader, a partition loses everything that it holds or owes', () => {
  const partition = holding(1, 2, 3);
  partition.settle(3, 'release', 0);
  assert.equal(partition.lose(), 3);
  assert.equal(partition.isFinished, true);
});
