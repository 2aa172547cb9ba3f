import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KnownNode } from '../../cluster/node-directory.js';
import { isSlower, StepBack } from './step-back.js';

const QUEUE = { model: 'm', topic: 'p.m.requests' };
const NOW = 1_000_000;

interface Load {
  readonly serviceMs: number;
  readonly lag?: number;
  readonly pending?: number;
  readonly ageMs?: number;
  readonly state?: string;
}

const nodeOf = (
  node: string,
  { serviceMs, lag = 0, pending = 0, ageMs = 0, state = 'READY' }: Load,
): KnownNode =>
  ({
    node,
    state,
    beatAt: NOW - ageMs,
    alive: true,
    models: [
      {
        model: 'm',
        version: '1',
        state: 'AVAILABLE',
        load: { rowsPerSecond: serviceMs === 0 ? 0 : 1_000 / serviceMs, pendingRows: pending },
      },
    ],
    partitions: [{ topic: QUEUE.topic, partition: 0, lagRecords: lag }],
  }) as unknown as KnownNode;

const others = (load: Partial<Load> = {}): KnownNode[] =>
  ['a', 'b', 'c'].map((name) => nodeOf(name, { serviceMs: 5, ...load }));
const slow = nodeOf('slow', { serviceMs: 50 });
const isBack = (nodes: readonly KnownNode[]): boolean => isSlower('slow', QUEUE, nodes, NOW);

test('a node that is ten times slower steps back while the queue is short, and takes part when it grows', () => {
  assert.equal(isBack([slow, ...others()]), true);
  assert.equal(isBack([slow, ...others({ lag: 20 })]), true, '20 records take the others 33 ms');
  assert.equal(isBack([slow, ...others({ lag: 30 })]), false, '30 records take them 50 ms');
  assert.equal(isBack([slow, ...others({ pending: 10 })]), false);
});

test('nodes of one kind all take part, although half of them are slower than the mean', () => {
  for (const serviceMs of [4, 5, 7, 9])
    assert.equal(isBack([nodeOf('slow', { serviceMs }), ...others()]), false, `${serviceMs} ms`);
});

test('stale, draining and unmeasured nodes do not count, and a node that is not measured takes part', () => {
  assert.equal(isBack([slow, ...others({ ageMs: 7_000 })]), false);
  assert.equal(isBack([slow, ...others({ state: 'DRAINING' })]), false);
  assert.equal(isBack([slow, ...others({ serviceMs: 0 })]), false);
  assert.equal(isBack([nodeOf('slow', { serviceMs: 0 }), ...others()]), false);
});

test('a node that steps back takes one record every five seconds', () => {
  let now = NOW;
  const nodes = (): KnownNode[] => [slow, ...others()].map((node) => ({ ...node, beatAt: now }));
  const stepBack = new StepBack({ nodes }, { node: 'slow', prefix: 'p' }, () => now);
  const taken: number[] = [];
  for (; now < NOW + 12_000; now += 1_000) taken.push(stepBack.limit('m', 8));
  assert.deepEqual(taken, [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]);
});
