import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KnownNode } from './node-directory.js';
import type { ModelVersionStatus } from '../schemas/generated.js';
import { expectedWaitMs } from './expected-wait.js';

const QUEUE = { model: 'digits', topic: 'p.digits.requests' };
const NOW = 1_000_000;

interface Load {
  readonly pendingRows?: number;
  readonly rowsPerSecond?: number;
  readonly lag?: number;
  readonly ageMs?: number;
  readonly model?: string;
  readonly state?: string;
}

function nodeWith({ pendingRows = 0, rowsPerSecond = 100, lag = 0, ageMs = 0, ...rest }: Load): KnownNode {
  const { model = 'digits', state = 'AVAILABLE' } = rest;
  const status = { model, version: '1', state, load: { pendingRows, rowsPerSecond } } as ModelVersionStatus;
  return {
    alive: ageMs < 10_000,
    beatAt: NOW - ageMs,
    models: [status],
    partitions: [
      { topic: QUEUE.topic, partition: 0, lagRecords: lag },
      { topic: 'p.other.requests', partition: 0, lagRecords: 5_000 },
    ],
  } as unknown as KnownNode;
}

const waitOf = (...loads: Load[]): number => expectedWaitMs(QUEUE, loads.map(nodeWith), NOW);

test('the wait is what nodes hold and have not read, divided by their throughput', () => {
  assert.equal(waitOf({ pendingRows: 50 }), 500);
  assert.equal(waitOf({ pendingRows: 50, lag: 150 }), 2_000);
  assert.equal(waitOf({ pendingRows: 300, rowsPerSecond: 100 }, { rowsPerSecond: 500 }), 500);
  assert.equal(waitOf({}), 0);
});

test('a partition that several nodes read counts once', () => {
  assert.equal(waitOf({ lag: 300 }, { lag: 300 }, { lag: 300 }), 1_000);
});

test('a queue is worked off while nothing is heard of it', () => {
  assert.equal(waitOf({ pendingRows: 300, ageMs: 2_000 }), 1_000);
  assert.equal(waitOf({ pendingRows: 100, ageMs: 2_000 }), 0);
  assert.equal(waitOf({ pendingRows: 100, ageMs: -5_000 }), 1_000, 'the clock of the node may be ahead');
});

test('silent nodes, other models, versions that are not available and unknown throughputs do not count', () => {
  const busy = { pendingRows: 1_000 };
  assert.equal(waitOf({ ...busy, ageMs: 11_000 }, { pendingRows: 10 }), 100);
  assert.equal(waitOf({ ...busy, model: 'other' }), 0);
  assert.equal(waitOf({ ...busy, state: 'LOADING' }), 0);
  assert.equal(waitOf({ ...busy, rowsPerSecond: 0 }), 0);
  assert.equal(waitOf(), 0);
});
