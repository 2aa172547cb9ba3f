import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatestRecords } from './compacted-table.js';
import type { KafkaRecord } from '../port.js';

const record = (offset: number, key: string, bytes = 0): KafkaRecord => ({
  topic: 't',
  partition: 0,
  offset,
  key: Buffer.from(key),
  value: Buffer.alloc(bytes),
  headers: {},
  timestamp: 0,
});

function latest(records: readonly KafkaRecord[], limits = { maxRecordBytes: 10_000, maxBytes: 100_000 }) {
  const found = new LatestRecords(limits);
  for (const one of records) found.add(one);
  return { offsets: found.records().map(({ offset }) => offset), ignored: found.ignored };
}

test('the last record of each key is kept, in order of offsets', () => {
  const records = [record(0, 'a'), record(1, 'b'), record(2, 'a')];
  assert.deepEqual(latest(records), { offsets: [1, 2], ignored: 0 });
});

test('a record that is too large is ignored and hides only earlier records of its key', () => {
  const records = [record(0, 'a'), record(1, 'b'), record(2, 'a', 20_000)];
  assert.deepEqual(latest(records), { offsets: [1], ignored: 1 });
});

test('keys are kept up to the memory limit', () => {
  const many = Array.from({ length: 1_000 }, (_, index) => record(index, `k${index}`, 1_000));
  const { offsets, ignored } = latest(many);
  assert.ok(offsets.length > 30 && offsets.length < 100, `${offsets.length} kept`);
  assert.equal(ignored, 1_000 - offsets.length);
});
