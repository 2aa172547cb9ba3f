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
/** Control records that end a transaction: type of the record's key. */
const ABORT = 0;
const NOTHING = Buffer.alloc(0);
/** Records are copied out of the batch in groups of about this many bytes, so that one that is kept keeps no more alive. */
const SLAB_BYTES = 8 * 1024;

/** A transaction whose records are not to be seen: from this offset on, until its marker. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** The next part of a partition's fetched records, in order of offset. */
export interface Piece {
  readonly records: readonly KafkaRecord[];
  /** Records behind these that are beyond the limits, however often they are fetched. */
  readonly unreadable?: { readonly offset: number; readonly lastOffset: number; readonly reason: string };
  /** Offset after all that was read, seen or not: markers of transactions take one, too. */
  readonly next: number;
}

/**
 * Reads the fetched batches of one partition from an offset on, piece by piece: whoever takes the pieces decides when to go
 * on, so that no more records exist at a time than it has room for. Nothing of a piece keeps `bytes` alive.
 *
 * The library's own reader makes two arrays, two BigInts and three objects for every record and takes twice the time,
 * without looking at checksums.
 *
 * The last batch may be cut off, which is not an error: it comes again. So does a batch that is damaged, when others
 * before it are not.
 */
export class BatchReader {
  readonly #hidden: HiddenTransactions;
  /** Where the next batch begins. */
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
   * The next piece; undefined when there is no more. A piece without records tells only of an offset that was passed.
   * @throws UnreadableBatch when the first batch is damaged or of a format before Kafka 0.11
   */
  next(): Piece | undefined {
    const { pieceRecords, pieceBytes } = this.limits;
    const before = this.#next;
    const records: KafkaRecord[] = [];
    let room = pieceBytes;
    while (records.length < pieceRecords && room > 0) {
      try {
        const batch = (this.#open ??= this.#openNext());
        if (!batch) break;
        const found = batch.read();
        if (found === undefined) this.#close(batch);
        else if (found instanceof Oversized) return this.#piece(records, this.#passOversized(batch, found));
        else {
          records.push(found);
          room -= batch.cost;
          this.#next = found.offset + 1;
        }
      } catch (error) {
        if (error instanceof Oversized) return this.#piece(records, this.#passBatch(error));
        if (this.#next > this.from) break;
        throw damaged(this.at, this.#current(), this.from, error);
      }
    }
    return this.#next > before || records.length > 0 ? this.#piece(records) : undefined;
  }

  #piece(records: readonly KafkaRecord[], unreadable?: Piece['unreadable']): Piece {
    return unreadable ? { records, unreadable, next: this.#next } : { records, next: this.#next };
  }

  /** The next batch with records to be seen. @throws Oversized when too much comes out of it */
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

  /** The batch at the current position, unless it is cut off. */
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

  /** Neighbours of the same kind go along: one message tells of all of them. */
  #passOversized(batch: OpenBatch, first: Oversized): Piece['unreadable'] {
    let last = first;
    for (let found = batch.peekOversized(); found; found = batch.peekOversized()) last = found;
    this.#next = last.offset + 1;
    return { offset: first.offset, lastOffset: last.offset, reason: first.message };
  }

  #passBatch({ message }: Oversized): Piece['unreadable'] {
    const batch = this.#current();
    if (!batch) return undefined;
    const offset = Math.max(this.#next, int64(batch, AT.baseOffset));
    this.#pass(batch.length, nextOffset(batch));
    return { offset, lastOffset: this.#next - 1, reason: message };
  }
}

/** Something that is beyond the limits. */
class Oversized extends Error {
  constructor(
    message: string,
    readonly offset = 0,
  ) {
    super(message);
  }
}

/** A batch whose records are being read, one after the other. */
class OpenBatch {
  readonly topic: string;
  readonly partition: number;
  readonly length: number;
  readonly next: number;
  /** Bytes that the record that was read last takes in memory. */
  cost = 0;
  readonly #baseOffset: number;
  readonly #baseTimestamp: number;
  readonly #appendTime: number | undefined;
  readonly #plain: ByteReader;
  /** The copy in which the next records are. */
  #slab = new ByteReader(NOTHING);
  #left: number;
  #lastOffset: number;

  /** @throws Oversized when too much comes out of it */
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

  /** The next record from `from` on; undefined when there is none. */
  read(): KafkaRecord | Oversized | undefined {
    while (this.#left > 0) {
      const found = this.#readNext();
      if (found.offset >= this.from) return found;
    }
    return undefined;
  }

  /** The next record if it is beyond the limits, too. */
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
        `expected at most ${this.limits.recordHeaders} headers of a record, got ${count}`,
        offset,
      );
    }
    const start = reader.position;
    const { headers, isExact } = readHeaders(reader, count);
    if (reader.position !== end) throw new Error('a record breaks off');
    this.cost = length + RECORD_OVERHEAD_BYTES + count * HEADER_OVERHEAD_BYTES;
    const { topic, partition } = this;
    const record = { topic, partition, offset, key, value, headers, timestamp };
    return isExact ? record : { ...record, headerList: readHeaderList(reader, start, count) };
  }

  /** Returns a timestamp within exact numbers: the differences in a batch are chosen by its writer. */
  #timestamp(delta: number): number {
    const timestamp = this.#appendTime ?? this.#baseTimestamp + delta;
    return Math.min(Number.MAX_SAFE_INTEGER, Math.max(Number.MIN_SAFE_INTEGER, timestamp));
  }

  #offset(delta: number): number {
    const offset = this.#baseOffset + delta;
    if (offset <= this.#lastOffset || offset >= this.next)
      throw new Error(
        `expected a record of offset ${this.#lastOffset + 1} to ${this.next - 1}, got ${offset}`,
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
        if (count === 0) throw new Error('a record breaks off');
        break;
      }
      if (count > 0 && recordEnd - start > SLAB_BYTES) break;
      end = recordEnd;
    }
    if (end === start) throw new Error('a record breaks off');
    this.#plain.position = end;
    this.#slab = new ByteReader(detached(bytes, start, end));
  }
}

/** A part of a buffer that does not keep the rest alive, unless the rest is smaller. */
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
    throw new Error(`record format ${magic} of Kafka before 0.11; KAFKA_CLIENT=kafkajs reads it`);
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

/** Headers by name, where null is read as an empty value; not exact where that does not tell all. */
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

/** The same headers in order. */
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
  if (length < 0 || position + length > reader.bytes.length) throw new Error('a header breaks off');
  const name = readName(reader.bytes, position, length);
  reader.skip(length);
  return name;
}

/** Objects have names that are numbers before all others. */
function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Transactions that were given up; the broker names them in the order in which they end. */
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

  /** A marker ends the transaction of its producer. */
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

/** The key of a marker is its version and its type. */
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

/** A batch that is damaged, or not of a kind that is understood. */
export class UnreadableBatch extends KafkaError {
  constructor(
    readonly records: UnreadableRecords,
    cause: unknown,
  ) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const { topic, partition, offset } = records;
    super('other', `${topic} ${partition}: the batch at offset ${offset} can't be read: ${why}`, { cause });
  }
}

function damaged(
  { topic, partition }: TopicPartition,
  batch: Buffer | undefined,
  from: number,
  cause: unknown,
): UnreadableBatch {
  const offset = batch ? int64(batch, AT.baseOffset) : from;
  // Formats before Kafka 0.11 have no such field.
  const delta = batch?.readInt8(AT.magic) === MAGIC ? batch.readInt32BE(AT.lastOffsetDelta) : 0;
  return new UnreadableBatch({ topic, partition, offset, lastOffset: offset + Math.max(0, delta) }, cause);
}

/** A piece that passes a batch whose damage is in the log: it must not stop whoever reads it next, and the one after. */
export function skipping(error: UnreadableBatch, position: number, highWatermark: number): Piece {
  const { records, message: reason } = error;
  // The number of the batch's records may itself be damaged.
  const lastOffset = Math.max(position, Math.min(records.lastOffset, highWatermark - 1));
  const offset = Math.max(position, records.offset);
  return { records: [], unreadable: { offset, lastOffset, reason }, next: lastOffset + 1 };
}

/** The end of the last whole batch in `bytes`: the offset after it; undefined when there is none. */
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
