import { AT, LENGTH_FROM, MAGIC } from '../kafka/record-batches/record-batch.js';
import { checksum } from '../kafka/record-batches/checksum.js';

/** Fields of record batches that our clients never write. */
export interface BatchFields {
  /** Codec number in the attributes; the records must be encoded with that codec. */
  readonly codec?: number;
  readonly baseOffset?: number;
  readonly lastOffsetDelta?: number;
  /** Timestamp of all records, in milliseconds since the epoch; old ones may be deleted at once. Default: now. */
  readonly timestamp?: number;
}

/** Builds a batch with these bytes as its records and a valid checksum. */
export function rawBatch(records: Buffer, count: number, fields: BatchFields = {}): Buffer {
  const { codec = 0, baseOffset = 0, lastOffsetDelta = count - 1, timestamp = Date.now() } = fields;
  const batch = Buffer.concat([Buffer.alloc(AT.records), records]);
  batch.writeBigInt64BE(BigInt(baseOffset), AT.baseOffset);
  batch.writeInt32BE(batch.length - LENGTH_FROM, AT.length);
  batch.writeInt32BE(-1, AT.leaderEpoch);
  batch.writeInt8(MAGIC, AT.magic);
  batch.writeInt16BE(codec, AT.attributes);
  batch.writeInt32BE(lastOffsetDelta, AT.lastOffsetDelta);
  batch.writeBigInt64BE(BigInt(timestamp), AT.baseTimestamp);
  batch.writeBigInt64BE(BigInt(timestamp), AT.maxTimestamp);
  batch.writeBigInt64BE(-1n, AT.producerId);
  batch.writeInt16BE(-1, AT.producerEpoch);
  batch.writeInt32BE(-1, AT.baseSequence);
  batch.writeInt32BE(count, AT.recordCount);
  batch.writeUInt32BE(checksum(batch.subarray(AT.attributes)), AT.crc);
  return batch;
}

export function zigzag(value: number): Buffer {
  const bytes: number[] = [];
  let left = value < 0 ? -2 * value - 1 : 2 * value;
  for (; left > 0x7f; left = Math.floor(left / 128)) bytes.push((left % 128) | 0x80);
  return Buffer.from([...bytes, left]);
}

export interface RawRecord {
  readonly offsetDelta?: number;
  readonly value?: Buffer;
  /** Encoded headers, without their count. */
  readonly headers?: Buffer;
  readonly headerCount?: number;
}

export function rawRecord({ offsetDelta = 0, value, headers, headerCount = 0 }: RawRecord): Buffer {
  const body = Buffer.concat([
    Buffer.from([0, 0]),
    zigzag(offsetDelta),
    zigzag(-1),
    zigzag(value?.length ?? -1),
    value ?? Buffer.alloc(0),
    zigzag(headerCount),
    headers ?? Buffer.alloc(0),
  ]);
  return Buffer.concat([zigzag(body.length), body]);
}

/** Builds a record with `count` headers, each with a one-byte name and no value. */
export function recordOfHeaders(count: number, offsetDelta = 0, declared = count): Buffer {
  return rawRecord({
    offsetDelta,
    headers: Buffer.alloc(3 * count, Buffer.from([2, 0x61, 0])),
    headerCount: declared,
  });
}
