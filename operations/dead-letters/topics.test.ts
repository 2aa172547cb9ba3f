import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KafkaAdmin } from '../../kafka/port.js';
import { LETTER_TOPICS } from '../../testing/dead-letters.js';

const choose = (named: string[], existing: string[]): Promise<string[]> =>
  LETTER_TOPICS.choose({ listTopics: () => Promise.resolve(existing) } as KafkaAdmin, named);

test('without names, the topics of models and bindings are chosen, and no others', async () => {
  const existing = [
    'p.b.requests-dlt',
    'p.a.requests-dlt',
    'p.a.requests',
    'wine.failed',
    'q.a.requests-dlt',
    'orders-dlt',
  ];
  assert.deepEqual(await choose([], existing), ['p.a.requests-dlt', 'p.b.requests-dlt', 'wine.failed']);
  assert.deepEqual(await choose([], ['p.nodes', 'p.dead-letters']), []);
});

test('any existing topic may be named, once, unless it is reserved', async () => {
  assert.deepEqual(await choose(['orders', 'orders'], ['orders']), ['orders']);
  await assert.rejects(choose(['nope'], ['orders-dlt', 'x']), {
    code: 'INVALID_REQUEST',
    message: "expected an existing topic, got 'nope'; dead-letter topics: orders-dlt",
  });
  await assert.rejects(choose(['p.dead-letters'], ['p.dead-letters']), { code: 'INVALID_REQUEST' });
});
