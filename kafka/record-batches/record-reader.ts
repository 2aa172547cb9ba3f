import { decompress, DecompressionLimitError } from '../compression/compression.js';
import type { KafkaRecord, TopicPartition } from '../port.js';
import { int64, nextOffset } from './batch-header.js';
import { ByteReader } from './byte-reader.js';
import { HEADER_OVERHEAD_BYTES, RECORD_OVERHEAD_BYTES, type ReadLimits } from './read-limits.js';
import { AT, CODEC_MASK, CODECS, LOG_APPEND_TIME } from './record-batch.js';
import { readHeaderList, readHeaders } from './record-headers.js';

const NOTHING = Buffer.alloc(0);
/**
 * Records are copied out of the batch in slabs of about this size, so that a retained one keeps little memory alive.
 */
const SLAB_BYTES = 8 * 1024;

/** Signals content that exceeds the limits. */
export class Oversized extends Error {
  constructor(
    message: string,
    readonly offset = 0,
  ) {
    super(message);
  }
}

/** Reads the records of one batch one by one. */
export class RecordReader {
  readonly topic: string;
  readonly partition: number;
  /** Size of the whole batch, in bytes. */
  readonly length: number;
  /** Offset after the last record of the batch. */
  readonly next: number;
  /** Memory size of the last record read, in bytes. */
  cost = 0;
  readonly #baseOffset: number;
  readonly #baseTimestamp: number;
  readonly #appendTime: number | undefined;
  readonly #plain: ByteReader;
  /** Copy that holds the next records. */
  #slab = new ByteReader(NOTHING);
  #left: number;
  #lastOffset: number;

  /** @throws Oversized if the batch decompresses to too many bytes */
  constructor(
    batch: Buffer,
    { topic, partition }: TopicPartition,
    readonly from: number,
    readonly limits: ReadLimits,
  ) {
    this.topic = topic;
    this.partition = partition;
    const attributes = batch.readInt16BE(AT.attributes);
    this.length = batch.length;
    this.next = nextOffset(batch);
    this.#baseOffset = int64(batch, AT.baseOffset);
    this.#lastOffset = this.#baseOffset - 1;
    this.#baseTimestamp = int64(batch, AT.baseTimestamp);
    this.#appendTime = attributes & LOG_APPEND_TIME ? int64(batch, AT.maxTimestamp) : undefined;
    this.#left = batch.readInt32BE(AT.recordCount);
    this.#plain = new ByteReader(plainRecords(batch, attributes, limits.batchBytes));
  }

  /** Returns the next record at or after `from`; undefined if there is none. */
  read(): KafkaRecord | Oversized | undefined {
    while (this.#left > 0) {
      const found = this.#readNext();
      if (found.offset >= this.from) return found;
    }
    return undefined;
  }

  /** Reads the next record if it exceeds the limits, too. */
  peekOversized(): Oversized | undefined {
    if (this.#left <= 0) return undefined;
    this.#fill();
    const { position } = this.#slab;
    const [left, lastOffset] = [this.#left, this.#lastOffset];
    const found = this.#readNext();
    if (found instanceof Oversized) return found;
    this.#slab.position = position;
    this.#left = left;
    this.#lastOffset = lastOffset;
    return undefined;
  }

  #readNext(): KafkaRecord | Oversized {
    this.#fill();
    const reader = this.#slab;
    const length = reader.varint();
    const end = reader.position + length;
    reader.skip(1);
    const timestamp = this.#timestamp(reader.varlong());
    const offset = this.#offset(reader.varint());
    const key = reader.bytesOrNull();
    const value = reader.bytesOrNull();
    const count = reader.varint();
    this.#left--;
    if (count > this.limits.recordHeaders) {
      reader.position = end;
      return new Oversized(
        `expected at most ${this.limits.recordHeaders} headers per record, got ${count}`,
        offset,
      );
    }
    const start = reader.position;
    const { headers, isExact } = readHeaders(reader, count);
    if (reader.position !== end) throw new Error('truncated record');
    this.cost = length + RECORD_OVERHEAD_BYTES + count * HEADER_OVERHEAD_BYTES;
    const { topic, partition } = this;
    const record = { topic, partition, offset, key, value, headers, timestamp };
    return isExact ? record : { ...record, headerList: readHeaderList(reader, start, count) };
  }

  /** Clamps a timestamp to exact numbers: the deltas in a batch are chosen by its writer. */
  #timestamp(delta: number): number {
    const timestamp = this.#appendTime ?? this.#baseTimestamp + delta;
    return Math.min(Number.MAX_SAFE_INTEGER, Math.max(Number.MIN_SAFE_INTEGER, timestamp));
  }

  #offset(delta: number): number {
    const offset = this.#baseOffset + delta;
    if (offset <= this.#lastOffset || offset >= this.next)
      throw new Error(
        `expected a record with offset ${this.#lastOffset + 1} to ${this.next - 1}, got ${offset}`,
      );
    return (this.#lastOffset = offset);
  }

  /** Copies the next records, at least one, once those of the last copy are read. */
  #fill(): void {
    if (this.#slab.position < this.#slab.bytes.length) return;
    const { bytes, position: start } = this.#plain;
    let end = start;
    for (let count = 0; count < this.#left && end < bytes.length; count++) {
      this.#plain.position = end;
      const length = this.#plain.varint();
      const recordEnd = this.#plain.position + length;
      if (length < 0 || recordEnd > bytes.length) {
        if (count === 0) throw new Error('truncated record');
        break;
      }
      if (count > 0 && recordEnd - start > SLAB_BYTES) break;
      end = recordEnd;
    }
    if (end === start) throw new Error('truncated record');
    this.#plain.position = end;
    this.#slab = new ByteReader(detached(bytes, start, end));
  }
}

/** Returns a slice that does not keep the rest of the buffer alive, unless the rest is smaller. */
function detached(bytes: Buffer, start: number, end: number): Buffer {
  if (2 * (end - start) >= bytes.buffer.byteLength) return bytes.subarray(start, end);
  const copy = Buffer.allocUnsafeSlow(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}

function plainRecords(batch: Buffer, attributes: number, maxBytes: number): Buffer {
  const records = batch.subarray(AT.records);
  const codec = CODECS[attributes & CODEC_MASK];
  if (!codec && attributes & CODEC_MASK) throw new Error(`unknown codec ${attributes & CODEC_MASK}`);
  if (!codec) return records;
  try {
    return decompress(codec, records, maxBytes);
  } catch (error) {
    throw error instanceof DecompressionLimitError ? new Oversized(error.message) : error;
  }
}
