import type { RecordHeaders } from '../../schemas/framing/framing.js';
import { decompress, DecompressionLimitError } from '../compression/compression.js';
import { addHeader, type Header, type HeaderList } from '../../schemas/headers/header-list.js';
import { KafkaError, type KafkaRecord, type TopicPartition, type UnreadableRecords } from '../port.js';
import { ByteReader } from './byte-reader.js';
import { readName } from './header-names.js';
import { checksum } from './checksum.js';
import {
  DEFAULT_READ_LIMITS,
  HEADER_OVERHEAD_BYTES,
  RECORD_OVERHEAD_BYTES,
  type ReadLimits,
} from './read-limits.js';
import {
  AT,
  CODEC_MASK,
  CODECS,
  CONTROL,
  LENGTH_FROM,
  LOG_APPEND_TIME,
  MAGIC,
  TRANSACTIONAL,
} from './record-batch.js';

const TWO_TO_32 = 2 ** 32;
/** Key type of the control record that aborts a transaction. */
const ABORT = 0;
const NOTHING = Buffer.alloc(0);
/**
 * Records are copied out of the batch in slabs of about this size, so that a retained one keeps little memory alive.
 */
const SLAB_BYTES = 8 * 1024;

/** A transaction whose records are hidden, from this offset to its marker. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** The next chunk of a partition's fetched records, in order of offset. */
export interface Chunk {
  readonly records: readonly KafkaRecord[];
  /** Records after these that exceed the limits. */
  readonly unreadable?: { readonly offset: number; readonly lastOffset: number; readonly reason: string };
  /** Offset after everything read, visible or not; transaction markers occupy one as well. */
  readonly next: number;
}

/**
 * Reads the fetched batches of one partition from an offset on, in chunks: the caller decides when to read the next
 * one, so that only as many records exist at a time as it has capacity for. A chunk does not keep `bytes` alive.
 *
 * The library's own reader creates two arrays, two BigInts and three objects per record, takes twice the time and
 * does not verify checksums.
 *
 * A truncated last batch is not an error: it is fetched again. So is a corrupted batch that follows valid ones.
 */
export class BatchReader {
  readonly #hidden: HiddenTransactions;
  /** Position of the next batch. */
  #position = 0;
  #next: number;
  #open: OpenBatch | undefined;

  constructor(
    readonly bytes: Buffer,
    readonly at: TopicPartition,
    readonly from: number,
    aborted: readonly AbortedTransaction[] = [],
    readonly limits: ReadLimits = DEFAULT_READ_LIMITS,
  ) {
    this.#hidden = new HiddenTransactions(aborted);
    this.#next = from;
  }

  /**
   * Returns the next chunk; undefined at the end. A chunk without records only advances the offset.
   * @throws UnreadableBatch if the first batch is corrupted or in a format older than Kafka 0.11
   */
  next(): Chunk | undefined {
    const { chunkRecords, chunkBytes } = this.limits;
    const before = this.#next;
    const records: KafkaRecord[] = [];
    let room = chunkBytes;
    while (records.length < chunkRecords && room > 0) {
      try {
        const batch = (this.#open ??= this.#openNext());
        if (!batch) break;
        const found = batch.read();
        if (found === undefined) this.#close(batch);
        else if (found instanceof Oversized) return this.#chunk(records, this.#passOversized(batch, found));
        else {
          records.push(found);
          room -= batch.cost;
          this.#next = found.offset + 1;
        }
      } catch (error) {
        if (error instanceof Oversized) return this.#chunk(records, this.#passBatch(error));
        if (this.#next > this.from) break;
        throw damaged(this.at, this.#current(), this.from, error);
      }
    }
    return this.#next > before || records.length > 0 ? this.#chunk(records) : undefined;
  }

  #chunk(records: readonly KafkaRecord[], unreadable?: Chunk['unreadable']): Chunk {
    return unreadable ? { records, unreadable, next: this.#next } : { records, next: this.#next };
  }

  /** Opens the next batch with visible records. @throws Oversized if it decompresses to too many bytes */
  #openNext(): OpenBatch | undefined {
    for (let batch = this.#current(); batch; batch = this.#current()) {
      const attributes = check(batch);
      const next = nextOffset(batch);
      if (attributes & CONTROL) this.#hidden.pass(batch);
      else if (next > this.from && !(attributes & TRANSACTIONAL && this.#hidden.hides(batch, next - 1)))
        return new OpenBatch(batch, this.at, this.#next, this.limits);
      this.#pass(batch.length, next);
    }
    return undefined;
  }

  /** Returns the batch at the current position, unless it is truncated. */
  #current(): Buffer | undefined {
    const { bytes } = this;
    if (this.#position + AT.records > bytes.length) return undefined;
    const length = LENGTH_FROM + bytes.readInt32BE(this.#position + AT.length);
    const end = this.#position + length;
    return length < AT.records || end > bytes.length ? undefined : bytes.subarray(this.#position, end);
  }

  #close({ length, next }: OpenBatch): void {
    this.#open = undefined;
    this.#pass(length, next);
  }

  #pass(length: number, next: number): void {
    this.#position += length;
    this.#next = Math.max(this.#next, next);
  }

  /** Skips adjacent oversized records as well, so that one message reports all of them. */
  #passOversized(batch: OpenBatch, first: Oversized): Chunk['unreadable'] {
    let last = first;
    for (let found = batch.peekOversized(); found; found = batch.peekOversized()) last = found;
    this.#next = last.offset + 1;
    return { offset: first.offset, lastOffset: last.offset, reason: first.message };
  }

  #passBatch({ message }: Oversized): Chunk['unreadable'] {
    const batch = this.#current();
    if (!batch) return undefined;
    const offset = Math.max(this.#next, int64(batch, AT.baseOffset));
    this.#pass(batch.length, nextOffset(batch));
    return { offset, lastOffset: this.#next - 1, reason: message };
  }
}

/** Signals content that exceeds the limits. */
class Oversized extends Error {
  constructor(
    message: string,
    readonly offset = 0,
  ) {
    super(message);
  }
}

/** A batch whose records are being read one by one. */
class OpenBatch {
  readonly topic: string;
  readonly partition: number;
  readonly length: number;
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
    const key = readBytes(reader);
    const value = readBytes(reader);
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

/** @returns the attributes */
function check(batch: Buffer): number {
  const magic = batch.readInt8(AT.magic);
  if (magic !== MAGIC)
    throw new Error(`record format ${magic} (Kafka before 0.11) is supported only with KAFKA_CLIENT=kafkajs`);
  if (batch.readUInt32BE(AT.crc) !== checksum(batch.subarray(AT.attributes)))
    throw new Error('wrong checksum');
  return batch.readInt16BE(AT.attributes);
}

function nextOffset(batch: Buffer): number {
  return int64(batch, AT.baseOffset) + batch.readInt32BE(AT.lastOffsetDelta) + 1;
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

function readBytes(reader: ByteReader): Buffer | null {
  const length = reader.varint();
  return length < 0 ? null : reader.take(length);
}

/** Reads headers by name, null as an empty value; inexact if that loses nulls or the order. */
function readHeaders(reader: ByteReader, count: number): { headers: RecordHeaders; isExact: boolean } {
  const headers: RecordHeaders = {};
  let isExact = true;
  for (let left = count; left > 0; left--) {
    const name = readHeaderName(reader);
    const value = readBytes(reader);
    if (value === null || headers[name] !== undefined || isDigit(name.charCodeAt(0))) isExact = false;
    addHeader(headers, name, value ?? NOTHING);
  }
  return { headers, isExact };
}

/** Reads the same headers in order. */
function readHeaderList(reader: ByteReader, start: number, count: number): HeaderList {
  const { position } = reader;
  reader.position = start;
  const list = Array.from({ length: count }, (): Header => [readHeaderName(reader), readBytes(reader)]);
  reader.position = position;
  return list;
}

function readHeaderName(reader: ByteReader): string {
  const length = reader.varint();
  const { position } = reader;
  if (length < 0 || position + length > reader.bytes.length) throw new Error('truncated header');
  const name = readName(reader.bytes, position, length);
  reader.skip(length);
  return name;
}

/** Returns true for a digit: objects order integer keys before all others. */
function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Tracks aborted transactions, whose records are hidden; the broker lists them in the order in which they end. */
class HiddenTransactions {
  readonly #open = new Set<number>();
  readonly #aborted: readonly AbortedTransaction[];
  #begun = 0;

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#aborted = [...aborted].sort((one, other) => one.firstOffset - other.firstOffset);
  }

  hides(batch: Buffer, lastOffset: number): boolean {
    this.#begin(lastOffset);
    return this.#open.has(int64(batch, AT.producerId));
  }

  /** Handles a marker, which ends its producer's transaction. */
  pass(batch: Buffer): void {
    this.#begin(int64(batch, AT.baseOffset));
    if (markerType(batch) === ABORT) this.#open.delete(int64(batch, AT.producerId));
  }

  #begin(offset: number): void {
    for (; this.#begun < this.#aborted.length; this.#begun++) {
      const next = this.#aborted[this.#begun];
      if (!next || next.firstOffset > offset) return;
      this.#open.add(next.producerId);
    }
  }
}

/** Reads the type of a marker, whose key consists of version and type. */
function markerType(batch: Buffer): number | undefined {
  const reader = new ByteReader(batch, AT.records);
  reader.varint();
  reader.skip(1);
  reader.varlong();
  reader.varint();
  return readBytes(reader)?.readInt16BE(2);
}

function int64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * TWO_TO_32 + bytes.readUInt32BE(at + 4);
}

/** A batch that is corrupted or in an unsupported format. */
export class UnreadableBatch extends KafkaError {
  constructor(
    readonly records: UnreadableRecords,
    cause: unknown,
  ) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const { topic, partition, offset } = records;
    super('other', `${topic} ${partition}: the batch at offset ${offset} cannot be read: ${why}`, { cause });
  }
}

function damaged(
  { topic, partition }: TopicPartition,
  batch: Buffer | undefined,
  from: number,
  cause: unknown,
): UnreadableBatch {
  const offset = batch ? int64(batch, AT.baseOffset) : from;
  // Formats older than Kafka 0.11 have no such field.
  const delta = batch?.readInt8(AT.magic) === MAGIC ? batch.readInt32BE(AT.lastOffsetDelta) : 0;
  return new UnreadableBatch({ topic, partition, offset, lastOffset: offset + Math.max(0, delta) }, cause);
}

/** Returns a chunk that skips a batch corrupted in the log, so that it cannot block every consumer. */
export function skipUnreadable(error: UnreadableBatch, position: number, highWatermark: number): Chunk {
  const { records, message: reason } = error;
  // The record count of the batch may itself be corrupted.
  const lastOffset = Math.max(position, Math.min(records.lastOffset, highWatermark - 1));
  const offset = Math.max(position, records.offset);
  return { records: [], unreadable: { offset, lastOffset, reason }, next: lastOffset + 1 };
}

/** Returns the offset after the last complete batch in `bytes`; undefined if there is none. */
export function endOfBatches(bytes: Buffer): number | undefined {
  let end: number | undefined;
  for (let position = 0; position + AT.records <= bytes.length;) {
    const length = LENGTH_FROM + bytes.readInt32BE(position + AT.length);
    if (length < AT.records || position + length > bytes.length) break;
    end = nextOffset(bytes.subarray(position, position + AT.records));
    position += length;
  }
  return end;
}
