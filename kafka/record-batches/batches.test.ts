import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { crc32c, createRecordsBatch, readRecordsBatch, Reader } from '@platformatic/kafka';
import type { KafkaRecord, OutgoingRecord } from '../port.js';
import { ByteReader } from './byte-reader.js';
import type { AbortedTransaction } from './hidden-transactions.js';
import { BatchReader, type Chunk } from './read-batches.js';
import { DEFAULT_READ_LIMITS, type ReadLimits } from './read-limits.js';
import { AT } from './record-batch.js';
import { rawBatch, recordOfHeaders, zigzag } from '../../testing/record-batches.js';
import { writeBatch } from '../native/protocol/write-batch.js';

const at = { topic: 't', partition: 3 };

function readChunks(bytes: Buffer, from: number, limits: Partial<ReadLimits> = {}): Chunk[] {
  const reader = new BatchReader(bytes, at, from, { limits: { ...DEFAULT_READ_LIMITS, ...limits } });
  const chunks: Chunk[] = [];
  for (let chunk = reader.next(); chunk; chunk = reader.next()) chunks.push(chunk);
  return chunks;
}

function readBatches(
  bytes: Buffer,
  place: typeof at,
  from: number,
  aborted: readonly AbortedTransaction[] = [],
): { records: KafkaRecord[]; next: number } {
  const reader = new BatchReader(bytes, place, from, { aborted });
  const records: KafkaRecord[] = [];
  let next = from;
  for (let chunk = reader.next(); chunk; chunk = reader.next()) {
    records.push(...chunk.records);
    next = chunk.next;
  }
  return { records, next };
}
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

test('records survive a round trip: keys, values, null, empty, headers, repeated headers and header names of any kind', () => {
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

test('records keep their own timestamps, however far apart, before and after the first', () => {
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

test("the library's own reader reads our batches, byte for byte", () => {
  const written = batchOf([outgoing('x', { key: Buffer.from('k'), headers: { h: Buffer.from('v') } })]);
  const { records, producerId, producerEpoch } = readRecordsBatch(Reader.from(written));
  assert.deepEqual([producerId, producerEpoch], [7n, 1]);
  assert.deepEqual(
    records.map(({ key, value, headers }) => [String(key), String(value), String(headers)]),
    [['k', 'x', 'h,v']],
  );
});

test('batches written by the library are read, including timestamps; a null header value is read as empty', () => {
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

test('records before the position are skipped, and a truncated batch is left for the next fetch', () => {
  const both = Buffer.concat([
    batchOf([outgoing('a'), outgoing('b')], 10),
    batchOf([outgoing('c'), outgoing('d')], 12),
  ]);
  assert.deepEqual(values(readBatches(both, at, 11).records), ['b', 'c', 'd']);
  const cut = readBatches(both.subarray(0, -1), at, 10);
  assert.deepEqual([values(cut.records), cut.next], [['a', 'b'], 12]);
  assert.deepEqual(readBatches(both.subarray(0, 30), at, 10), { records: [], next: 10 });
});

test('a batch is compressed if one of its records requests it', () => {
  const small = writeBatch([outgoing('z'.repeat(50_000), { compress: true })], plainIdentity, 0, 1);
  assert.ok(small.length < 1_000);
  assert.equal(readBatches(small, at, 0).records[0]?.value?.toString(), 'z'.repeat(50_000));
});

test('a corrupted batch is refused, but only after the valid ones before it are read', () => {
  const damaged = batchOf([outgoing('b')], 1);
  damaged.writeUInt8(damaged.readUInt8(damaged.length - 3) ^ 1, damaged.length - 3);
  assert.throws(() => readBatches(damaged, at, 1), {
    kind: 'other',
    message: /offset 1 cannot be read: wrong checksum/,
  });
  const both = Buffer.concat([batchOf([outgoing('a')], 0), damaged]);
  const sound = readBatches(both, at, 0);
  assert.deepEqual([values(sound.records), sound.next], [['a'], 1]);
});

test('a compressed batch with fewer records than declared is refused', () => {
  const batch = Buffer.concat([batchOf([outgoing('a')]).subarray(0, AT.records), gzipSync(Buffer.alloc(3))]);
  batch.writeInt16BE(1, AT.attributes);
  batch.writeInt32BE(batch.length - 12, AT.length);
  batch.writeUInt32BE(crc32c(batch.subarray(AT.attributes)), AT.crc);
  assert.throws(() => readBatches(batch, at, 0), /truncated record/);
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

test('records of aborted transactions are hidden, and those of others in between are not', () => {
  const log = Buffer.concat([
    transactional(1n, 'aborted', 0),
    transactional(2n, 'kept', 1),
    marker(1n, 0, 2),
    transactional(1n, 'kept later', 3),
    marker(2n, 1, 4),
    marker(1n, 1, 5),
  ]);
  const { records, next } = readBatches(log, at, 0, [{ producerId: 1, firstOffset: 0 }]);
  assert.deepEqual([values(records), next], [['kept', 'kept later'], 6]);
});

test('aborted transactions are hidden regardless of the order in which the broker lists them', () => {
  const log = Buffer.concat([
    transactional(1n, 'aborted last', 0),
    transactional(2n, 'aborted first', 1),
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

test('numbers of more than 32 bits are read exactly; the bytes are literal because the library writes them incorrectly', () => {
  // 5,000,000,000 and -5,000,000,000 in zigzag encoding, as in Protocol Buffers.
  assert.equal(new ByteReader(Buffer.from('80c8afa025', 'hex')).varlong(), 5_000_000_000);
  assert.equal(new ByteReader(Buffer.from('ffc7afa025', 'hex')).varlong(), -5_000_000_000);
  assert.equal(new ByteReader(Buffer.from('00000001000000ff', 'hex')).int64(), 2 ** 32 + 255);
  assert.equal(new ByteReader(Buffer.from('ffffffffffffffff', 'hex')).int64(), -1);
});

test('a batch is read in chunks limited by records or bytes, each continuing where the last one ended', () => {
  const batch = batchOf(
    Array.from({ length: 10 }, (_, index) => outgoing(`v${index}`)),
    100,
  );
  const chunks = readChunks(batch, 101, { chunkRecords: 4 });
  assert.deepEqual(
    chunks.map(({ records, next }) => [values(records).join(), next]),
    [
      ['v1,v2,v3,v4', 105],
      ['v5,v6,v7,v8', 109],
      ['v9', 110],
    ],
  );
  assert.equal(readChunks(batch, 100, { chunkBytes: 1 }).length, 10);
});

test('a record with too many headers is skipped, together with adjacent ones of the same kind', () => {
  const records = [
    recordOfHeaders(1),
    ...[1, 2, 3].map((delta) => recordOfHeaders(5, delta)),
    recordOfHeaders(2, 4),
  ];
  const batch = rawBatch(Buffer.concat(records), 5);
  const chunks = readChunks(batch, 0, { recordHeaders: 4 });
  assert.deepEqual(
    chunks.map((chunk) => [chunk.records.map(({ offset }) => offset), chunk.unreadable, chunk.next]),
    [
      [[0], { offset: 1, lastOffset: 3, reason: 'expected at most 4 headers per record, got 5' }, 4],
      [[4], undefined, 5],
    ],
  );
});

test('twenty million headers in a small batch are not decompressed', () => {
  const packed = gzipSync(recordOfHeaders(20_000_000));
  const batch = rawBatch(packed, 1, { codec: 1 });
  const [chunk] = readChunks(batch, 0, { batchBytes: 32 * 1024 * 1024 });
  assert.match(chunk?.unreadable?.reason ?? '', /decompressed size exceeds 33554432 bytes/);
  assert.equal(chunk?.next, 1);
});

test('a batch that decompresses to too many bytes is skipped, and the ones around it are read', () => {
  const bomb = rawBatch(gzipSync(Buffer.alloc(2_000)), 3, { codec: 1 });
  bomb.writeBigInt64BE(1n, AT.baseOffset);
  const log = Buffer.concat([batchOf([outgoing('a')]), bomb, batchOf([outgoing('b')], 4)]);
  const chunks = readChunks(log, 0, { batchBytes: 1_000 });
  assert.deepEqual(
    chunks.map(({ records, unreadable, next }) => [
      values(records).join(),
      unreadable && [unreadable.offset, unreadable.lastOffset],
      next,
    ]),
    [
      ['a', [1, 3], 4],
      ['b', undefined, 5],
    ],
  );
});

test('wrong counts, lengths and offsets make a batch unreadable, and nothing else', () => {
  const good = recordOfHeaders(0);
  const lies: [string, Buffer, RegExp][] = [
    ['more records than present', rawBatch(good, 1_000_000_000), /truncated record/],
    ['more headers than present', rawBatch(recordOfHeaders(1, 0, 1_000), 1), /truncated/],
    ['a length beyond the batch', rawBatch(Buffer.concat([zigzag(2 ** 30), good]), 1), /truncated/],
    ['a negative length', rawBatch(Buffer.concat([zigzag(-5), good]), 1), /truncated/],
    ['an offset beyond the batch', rawBatch(recordOfHeaders(0, 2 ** 30), 1), /got 1073741824/],
    ['an offset before the batch', rawBatch(recordOfHeaders(0, -7), 1), /got -7/],
    ['an offset twice', rawBatch(Buffer.concat([good, good]), 2), /expected a record with offset 1/],
  ];
  const afterIntact = (batch: Buffer): unknown => readChunks(batch, readChunks(batch, 0).at(-1)?.next ?? 0);
  for (const [name, batch, reason] of lies) assert.throws(() => afterIntact(batch), reason, name);
  for (const count of [0, -1, -(2 ** 31)]) {
    const empty = rawBatch(Buffer.alloc(0), count, { lastOffsetDelta: 6 });
    assert.deepEqual(readChunks(empty, 0), [{ records: [], next: 7 }]);
  }
});

test('out-of-range timestamps are clamped to exact numbers', () => {
  const body = Buffer.concat([
    Buffer.from([0]),
    Buffer.from('ffffffffffffffffff01', 'hex'),
    Buffer.from([0, 1, 1, 0]),
  ]);
  const batch = rawBatch(Buffer.concat([zigzag(body.length), body]), 1);
  const [chunk] = readChunks(batch, 0);
  assert.equal(chunk?.records[0]?.timestamp, Number.MIN_SAFE_INTEGER);
});

test('a retained record does not keep its batch in memory', () => {
  const large = batchOf([
    outgoing('x'.repeat(1_000_000)),
    outgoing('small'),
    outgoing('y'.repeat(1_000_000)),
  ]);
  for (const batch of [large, rawBatch(gzipSync(large.subarray(AT.records)), 3, { codec: 1 })]) {
    const records = readChunks(batch, 0).flatMap((chunk) => chunk.records);
    assert.equal(records[1]?.value?.toString(), 'small');
    assert.ok((records[1].value.buffer.byteLength ?? 0) < 10_000);
  }
});
