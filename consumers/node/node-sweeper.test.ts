import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReportedStatus } from '../../cluster/node-directory.js';
import type { NodeStatus } from '../../schemas/generated.js';
import { toRemove } from './node-sweeper.js';

const heard = (ages: Readonly<Record<string, number>>): ReportedStatus[] =>
  Object.entries(ages).map(([key, age]) => ({
    key,
    status: {} as NodeStatus,
    recordedAt: 1_000_000_000 - age,
  }));
const forgetMs = 300_000;

test('the live node with the first name removes dead nodes', () => {
  const nodes = heard({ a: 400_000, b: 1_000, c: 0, d: 20_000, e: 301_000 });
  assert.deepEqual(toRemove(nodes, { node: 'b', forgetMs }), ['a', 'e']);
  assert.deepEqual(toRemove(nodes, { node: 'c', forgetMs }), []);
});

test('a node that just fell silent is not removed, nor any node while all are silent', () => {
  assert.deepEqual(toRemove(heard({ a: 299_000, b: 0 }), { node: 'b', forgetMs }), []);
  assert.deepEqual(toRemove(heard({ a: 900_000 }), { node: 'a', forgetMs }), []);
  assert.deepEqual(toRemove([], { node: 'a', forgetMs }), []);
});
