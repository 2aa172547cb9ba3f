import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { crc32c, createRecordsBatch, readRecordsBatch, Reader } from '@platformatic/kafka';
import type { KafkaRecord, OutgoingRecord } from '../port.js';
import { ByteReader } from './byte-reader.js';
import { readBatches } from './read-batches.js';
import { AT } from './record-batch.js';
import { writeBatch } from './write-batch.js';

const at = { topic: 't', partition: 3 };
const plainIdentity = { id: 7n, epoch: 1, transactional: false };

function outgoing(value: string | null, more: Partial<OutgoingRecord> = {}): OutgoingRecord {
  return { topic: 't', key: null, value: value === null ? null : Buffer.from(value), headers: {}, ...more };
}

function batchOf(records: readonly OutgoingRecord[], baseOffset = 0): Buffer {
  const batch = writeBatch(records, plainIdentity, 0, 1_700_000_000_000);
  batch.writeBigInt64BE(BigInt(baseOffset), AT.baseOffset);
  return batch;
}

const values = (records: readonly KafkaRecord[]): (string | undefined)[] =>
  records.map(({ value }) => value?.toString());

test('what is written is read: keys, values, null, empty, headers, repeated ones and names of any kind', () => {
  const headers = {
    one: Buffer.from('1'),
    é: Buffer.alloc(200, 1),
    many: [Buffer.from('a'), Buffer.alloc(0)],
    absent: undefined,
  };
  const all = [
    outgoing('x', { key: Buffer.from('k'), headers }),
    outgoing(null),
    outgoing('', { key: Buffer.alloc(0) }),
    outgoing('y'.repeat(100_000)),
  ];
  const { records, next } = readBatches(batchOf(all, 50), at, 50);
  assert.equal(next, 54);
  assert.deepEqual(
    records.map(({ offset, topic, partition, timestamp }) => [offset, topic, partition, timestamp]),
    [50, 51, 52, 53].map((offset) => [offset, 't', 3, 1_700_000_000_000]),
  );
  const { absent: _absent, ...present } = headers;
  assert.deepEqual(records[0]?.headers, present);
  assert.deepEqual(
    records.map(({ key, value }) => [key?.toString(), value?.length]),
    [
      ['k', 1],
      [undefined, undefined],
      ['', 0],
      [undefined, 100_000],
    ],
  );
});

test('records keep timestamps of their own, however far apart, before and after the first', () => {
  const moments = [1_700_000_000_000, 0, 1_700_000_000_001, 9_000_000_000_000, undefined];
  const { records } = readBatches(batchOf(moments.map((timestamp) => outgoing('x', { timestamp }))), at, 0);
  assert.deepEqual(
    records.map(({ timestamp }) => timestamp),
    [...moments.slice(0, -1), 1_700_000_000_000],
  );
  assert.equal(
    batchOf([outgoing('x', { timestamp: 5 }), outgoing('y', { timestamp: 7 })]).readBigInt64BE(
      AT.maxTimestamp,
    ),
    7n,
  );
});

test("the library's own reader understands what is written, byte for byte", () => {
  const written = batchOf([outgoing('x', { key: Buffer.from('k'), headers: { h: Buffer.from('v') } })]);
  const { records, producerId, producerEpoch } = readRecordsBatch(Reader.from(written));
  assert.deepEqual([producerId, producerEpoch], [7n, 1]);
  assert.deepEqual(
    records.map(({ key, value, headers }) => [String(key), String(value), String(headers)]),
    [['k', 'x', 'h,v']],
  );
});

test('what the library writes is read, with its timestamps, and a header without a value as an empty one', () => {
  const message = (value: string, timestamp: bigint) => ({
    topic: 't',
    partition: 3,
    value: Buffer.from(value),
    timestamp,
    headers: new Map([[Buffer.from('none'), null as unknown as Buffer]]),
  });
  const written = createRecordsBatch([
    message('a', 5n),
    message('b', 2_000_000_000n),
    message('c', 1n),
  ]).buffer;
  const { records } = readBatches(written, at, 0);
  assert.deepEqual(
    records.map(({ timestamp }) => timestamp),
    [5, 2_000_000_000, 1],
  );
  assert.deepEqual(records[0]?.headers, { none: Buffer.alloc(0) });
});

test('records before the position are left out, and a batch that is cut off comes later', () => {
  const both = Buffer.concat([
    batchOf([outgoing('a'), outgoing('b')], 10),
    batchOf([outgoing('c'), outgoing('d')], 12),
  ]);
  assert.deepEqual(values(readBatches(both, at, 11).records), ['b', 'c', 'd']);
  const cut = readBatches(both.subarray(0, -1), at, 10);
  assert.deepEqual([values(cut.records), cut.next], [['a', 'b'], 12]);
  assert.deepEqual(readBatches(both.subarray(0, 30), at, 10), { records: [], next: 10 });
});

test('one record that asks for it has its batch compressed', () => {
  const small = writeBatch([outgoing('z'.repeat(50_000), { compress: true })], plainIdentity, 0, 1);
  assert.ok(small.length < 1_000);
  assert.equal(readBatches(small, at, 0).records[0]?.value?.toString(), 'z'.repeat(50_000));
});

test('a damaged batch is refused, but not before the sound ones that precede it are read', () => {
  const damaged = batchOf([outgoing('b')], 1);
  damaged.writeUInt8(damaged.readUInt8(damaged.length - 3) ^ 1, damaged.length - 3);
  assert.throws(() => readBatches(damaged, at, 1), {
    kind: 'other',
    message: /offset 1 can't be read: wrong checksum/,
  });
  const both = Buffer.concat([batchOf([outgoing('a')], 0), damaged]);
  const sound = readBatches(both, at, 0);
  assert.deepEqual([values(sound.records), sound.next], [['a'], 1]);
});

test('a compressed batch with fewer records than it says is refused', () => {
  const batch = Buffer.concat([batchOf([outgoing('a')]).subarray(0, AT.records), gzipSync(Buffer.alloc(3))]);
  batch.writeInt16BE(1, AT.attributes);
  batch.writeInt32BE(batch.length - 12, AT.length);
  batch.writeUInt32BE(crc32c(batch.subarray(AT.attributes)), AT.crc);
  assert.throws(() => readBatches(batch, at, 0), /a record breaks off/);
});

function transactional(id: bigint, value: string, offset: number): Buffer {
  const batch = writeBatch([outgoing(value)], { id, epoch: 0, transactional: true }, 0, 1);
  batch.writeBigInt64BE(BigInt(offset), AT.baseOffset);
  return batch;
}

function marker(id: bigint, type: number, offset: number): Buffer {
  const key = Buffer.from([0, 0, 0, type]);
  const batch = writeBatch([outgoing('', { key })], { id, epoch: 0, transactional: true }, 0, 1);
  batch.writeInt16BE(batch.readInt16BE(AT.attributes) | 0x20, AT.attributes);
  batch.writeBigInt64BE(BigInt(offset), AT.baseOffset);
  batch.writeUInt32BE(crc32c(batch.subarray(AT.attributes)), AT.crc);
  return batch;
}

test('records of transactions that were given up are not seen, those of others in between are', () => {
  const log = Buffer.concat([
    transactional(1n, 'given up', 0),
    transactional(2n, 'kept', 1),
    marker(1n, 0, 2),
    transactional(1n, 'kept later', 3),
    marker(2n, 1, 4),
    marker(1n, 1, 5),
  ]);
  const { records, next } = readBatches(log, at, 0, [{ producerId: 1, firstOffset: 0 }]);
  assert.deepEqual([values(records), next], [['kept', 'kept later'], 6]);
});

test('transactions that were given up are hidden in whatever order the broker names them', () => {
  const log = Buffer.concat([
    transactional(1n, 'given up late', 0),
    transactional(2n, 'given up first', 1),
    marker(2n, 0, 2),
    marker(1n, 0, 3),
    transactional(2n, 'kept', 4),
    marker(2n, 1, 5),
  ]);
  const byEnd = [
    { producerId: 2, firstOffset: 1 },
    { producerId: 1, firstOffset: 0 },
  ];
  assert.deepEqual(values(readBatches(log, at, 0, byEnd).records), ['kept']);
});

test('numbers of more than 32 bits are read exactly: the library writes them wrongly, so the bytes are given', () => {
  // 5,000,000,000 and -5,000,000,000 in zigzag, by the rules of Protocol Buffers.
  assert.equal(new ByteReader(Buffer.from('80c8afa025', 'hex')).varlong(), 5_000_000_000);
  assert.equal(new ByteReader(Buffer.from('ffc7afa025', 'hex')).varlong(), -5_000_000_000);
  assert.equal(new ByteReader(Buffer.from('00000001000000ff', 'hex')).int64(), 2 ** 32 + 255);
  assert.equal(new ByteReader(Buffer.from('ffffffffffffffff', 'hex')).int64(), -1);
});
