import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KnownNode } from '../cluster/node-directory.js';
import { PartitionChooser } from './partition-chooser.js';

interface Load {
  readonly rowsPerSecond: number;
  readonly pendingRows?: number;
  readonly lag?: number;
  readonly alive?: boolean;
  readonly state?: string;
}

const nodeOf = (
  node: string,
  partitions: readonly number[],
  { rowsPerSecond, pendingRows = 0, lag = 0, alive = true, state = 'READY' }: Load,
): KnownNode =>
  ({
    node,
    alive,
    state,
    beatAt: 0,
    models: [{ model: 'm', version: '1', state: 'AVAILABLE', load: { rowsPerSecond, pendingRows } }],
    partitions: partitions.map((partition) => ({ topic: 'p.m.requests', partition, lagRecords: lag })),
  }) as unknown as KnownNode;

/** Counts the requests of each node among `count` that are sent one after another and not answered. */
function sharesOf(nodes: readonly KnownNode[], count: number, now = 0): Record<string, number> {
  let seed = 1;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const live = { nodes: () => nodes, onChange: () => () => undefined };
  const chooser = new PartitionChooser(live, 'p', random, () => now);
  const shares: Record<string, number> = {};
  for (let index = 0; index < count; index++) {
    const choice = chooser.choose('m', 1);
    if (choice) shares[choice.node] = (shares[choice.node] ?? 0) + 1;
  }
  return shares;
}

test('nodes get requests in proportion to their speed, although each owns as many partitions', () => {
  const fast = { rowsPerSecond: 200 };
  const nodes = [
    nodeOf('a', [0, 1], fast),
    nodeOf('b', [2, 3], fast),
    nodeOf('c', [4, 5], fast),
    nodeOf('slow', [6, 7], { rowsPerSecond: 20 }),
  ];
  const { slow = 0, a = 0 } = sharesOf(nodes, 1_000);
  assert.ok(slow < 100, `the slow node got ${slow} of 1,000`);
  assert.ok(a > 230 && a < 400, `a fast node got ${a} of 1,000`);
});

test('a long queue is avoided until it has been worked off', () => {
  const nodes = [nodeOf('a', [0], { rowsPerSecond: 100 }), nodeOf('b', [1], { rowsPerSecond: 100, lag: 50 })];
  const early = sharesOf(nodes, 20);
  assert.ok((early['b'] ?? 0) <= 8, 'only where both drawn partitions are of the same node');
  const late = sharesOf(nodes, 200, 60_000);
  assert.ok((late['b'] ?? 0) > 70);
});

test('dead and draining nodes get nothing, and a single owner leaves nothing to choose', () => {
  const fast = { rowsPerSecond: 100 };
  const others = [
    nodeOf('dead', [2], { ...fast, alive: false }),
    nodeOf('draining', [3], { ...fast, state: 'DRAINING' }),
  ];
  assert.deepEqual(sharesOf([nodeOf('a', [0, 1], fast), ...others], 10), {});
  const shares = sharesOf([nodeOf('a', [0], fast), nodeOf('b', [1], fast), ...others], 100);
  assert.deepEqual(Object.keys(shares).sort(), ['a', 'b']);
});

test('short requests go to one partition in runs, and what is answered no longer counts', () => {
  const nodes = [nodeOf('a', [0], { rowsPerSecond: 1e6 }), nodeOf('b', [1], { rowsPerSecond: 1e6 })];
  const live = { nodes: () => nodes, onChange: () => () => undefined };
  const chooser = new PartitionChooser(live, 'p', Math.random, () => 0);
  const run = Array.from({ length: 64 }, () => chooser.choose('m', 1));
  assert.equal(new Set(run.map((choice) => choice?.partition)).size, 1);
  for (const choice of run) if (choice) chooser.end(choice);
  const next = chooser.choose('m', 1_000_000);
  assert.equal(next?.workMs, 1_000);
});
