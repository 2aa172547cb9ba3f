import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PartitionLag } from '../share-port.js';
import { lagOf, readPositions } from './lag.js';

const OFFSETS = [0, 1].map((partition) => ({ partition, start: 2, end: 10 }));

function admin(committed: readonly number[], lags: readonly PartitionLag[] | Error) {
  return {
    committed: () =>
      Promise.resolve(committed.map((offset, partition) => ({ partition, offset, metadata: '' }))),
    offsets: () => Promise.resolve(OFFSETS),
    shareGroupLag: () => (lags instanceof Error ? Promise.reject(lags) : Promise.resolve([...lags])),
  };
}

test('the lag of a consumer group comes from its committed offsets', async () => {
  const positions = await readPositions(admin([7, -1], [{ partition: 0, lag: 1 }]), 'g', 't');
  assert.deepEqual([positions.map(({ committed }) => committed), lagOf(positions)], [[7, -1], 11]);
});

test('the lag of a share group stands for offsets that it does not commit', async () => {
  const positions = await readPositions(admin([-1, -1], [{ partition: 0, lag: 3 }]), 'g', 't');
  assert.deepEqual([positions.map(({ committed }) => committed), lagOf(positions)], [[7, -1], 11]);
});

test('a group without positions, or on a client without share groups, lags from the oldest record', async () => {
  for (const lags of [[], new Error('no share groups')])
    assert.equal(lagOf(await readPositions(admin([-1, -1], lags), 'g', 't')), 16);
});
