import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_READ_LIMITS } from '../../record-batches/read-limits.js';
import { AT } from '../../record-batches/record-batch.js';
import { writeBatch } from '../protocol/write-batch.js';
import { readAcquired, type AcquiredChunk } from './read-acquired.js';

const AT_T = { topic: 't', partition: 0 };

/** A batch of records whose values are their offsets. */
function batchAt(baseOffset: number, count: number, compress = false): Buffer {
  const records = Array.from({ length: count }, (_, index) => ({
    topic: 't',
    key: null,
    value: Buffer.from(String(baseOffset + index)),
    headers: {},
    compress,
  }));
  const batch = writeBatch(records, { id: -1n, epoch: -1, transactional: false }, -1, 0);
  batch.writeBigInt64BE(BigInt(baseOffset), AT.baseOffset);
  return batch;
}

function read(
  batches: Buffer,
  ...acquired: { first: number; last: number; deliveries: number }[]
): Record<'records' | 'gaps' | 'damaged' | 'unreadable', unknown[]> {
  const chunks: AcquiredChunk[] = [...readAcquired({ batches, acquired }, AT_T)];
  return {
    records: chunks.flatMap(({ records }) =>
      records.map(({ record, deliveries }) => [String(record.value), deliveries]),
    ),
    gaps: chunks.flatMap(({ gaps }) => gaps),
    damaged: chunks.flatMap(({ damaged }) => damaged),
    unreadable: chunks.flatMap(({ unreadable }) => unreadable?.offsets ?? []),
  };
}

test('of the batches only the acquired records are read, with their delivery counts', () => {
  const batches = Buffer.concat([batchAt(10, 5), batchAt(15, 5)]);
  const found = read(batches, { first: 12, last: 13, deliveries: 1 }, { first: 16, last: 16, deliveries: 3 });
  assert.deepEqual(found, { records: [['12', 1], ['13', 1], ['16', 3]], gaps: [], damaged: [], unreadable: [] }); // prettier-ignore
});

test('acquired offsets without a record are gaps', () => {
  const batches = Buffer.concat([batchAt(0, 2), batchAt(4, 2)]);
  const { records, gaps } = read(batches, { first: 0, last: 5, deliveries: 1 });
  assert.deepEqual([records.length, gaps], [4, [2, 3]]);
});

test('acquired offsets after the last batch are given back', () => {
  const { records, damaged } = read(batchAt(0, 2), { first: 0, last: 3, deliveries: 1 });
  assert.deepEqual([records.length, damaged], [2, [2, 3]]);
});

test('a corrupted batch is given back once, and then unreadable; others are not blamed', () => {
  const corrupted = batchAt(0, 2);
  corrupted.writeUInt8(corrupted.readUInt8(corrupted.length - 1) ^ 1, corrupted.length - 1);
  const batches = Buffer.concat([corrupted, batchAt(2, 1)]);
  const first = read(batches, { first: 0, last: 2, deliveries: 1 });
  assert.deepEqual([first.damaged, first.unreadable], [[0, 1, 2], []]);
  const second = read(batches, { first: 0, last: 2, deliveries: 2 });
  assert.deepEqual([second.damaged, second.unreadable], [[2], [0, 1]]);
});

test('records that exceed the limits are unreadable', () => {
  const limits = { ...DEFAULT_READ_LIMITS, batchBytes: 5 };
  const acquired = [{ first: 0, last: 1, deliveries: 1 }];
  const [chunk] = [...readAcquired({ batches: batchAt(0, 2, true), acquired }, AT_T, limits)];
  assert.deepEqual(chunk?.unreadable?.offsets, [0, 1]);
});
