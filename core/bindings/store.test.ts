import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KafkaRecord } from '../kafka/port.js';
import { latestRecords } from './store.js';

const record = (offset: number, name: string, value: string | null): KafkaRecord => ({
  topic: 'p.bindings',
  partition: 0,
  offset,
  key: Buffer.from(name),
  value: value === null ? null : Buffer.from(value),
  headers: {},
  timestamp: 0,
});

test('only the last record of a binding counts, whatever was before it, in the order in which they were applied', () => {
  const records = [
    record(3, 'b', null),
    record(0, 'a', 'of another version'),
    record(1, 'b', 'of another version'),
    record(2, 'c', '{}'),
    record(4, 'a', '{}'),
  ];
  assert.deepEqual(
    latestRecords(records).map(({ offset }) => offset),
    [2, 3, 4],
  );
});
