import type { RecordHeaders } from '../../../schemas/framing/framing.js';
import { decompress } from '../compression.js';
import { addHeader } from '../headers-by-name.js';
import { KafkaError, type KafkaRecord, type TopicPartition, type UnreadableRecords } from '../port.js';
import { ByteReader } from './byte-reader.js';
import { readName } from './header-names.js';
import { checksum } from './checksum.js';
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

/** A transaction whose records are not to be seen: from this offset on, until its marker. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export interface ReadBatches {
  readonly records: KafkaRecord[];
  /** Offset after all that was read, seen or not: markers of transactions take one, too. */
  readonly next: number;
}

/**
 * Reads the records of one partition from `from` on. The library's own reader makes two arrays, two
 * BigInts and three objects for every record and takes twice the time, without looking at checksums. Keys, values and headers are views
 * of `bytes`.
 *
 * The last batch may be cut off, which is not an error: it comes again. So does a batch that is damaged, when others
 * before it are not.
 * @throws UnreadableBatch when the first batch is damaged or of a format before Kafka 0.11
 */
export function readBatches(
  bytes: Buffer,
  at: TopicPartition,
  from: number,
  aborted: readonly AbortedTransaction[] = [],
): ReadBatches {
  const records: KafkaRecord[] = [];
  const hidden = new HiddenTransactions(aborted);
  let next = from;
  for (let position = 0; position + AT.records <= bytes.length;) {
    const end = position + LENGTH_FROM + bytes.readInt32BE(position + AT.length);
    if (end > bytes.length) break;
    const batch = bytes.subarray(position, end);
    try {
      next = Math.max(next, readBatch(batch, at, from, hidden, records));
    } catch (error) {
      if (next > from) break;
      throw damaged(at, batch, error);
    }
    position = end;
  }
  return { records, next };
}

/** Appends a batch's records that are to be seen; returns the offset after it. */
function readBatch(
  batch: Buffer,
  at: TopicPartition,
  from: number,
  hidden: HiddenTransactions,
  records: KafkaRecord[],
): number {
  check(batch);
  const attributes = batch.readInt16BE(AT.attributes);
  const baseOffset = int64(batch, AT.baseOffset);
  const next = baseOffset + batch.readInt32BE(AT.lastOffsetDelta) + 1;
  if (attributes & CONTROL) hidden.pass(batch);
  else if (next > from && !(attributes & TRANSACTIONAL && hidden.hides(batch, next - 1)))
    readRecords(batch, attributes, at, Math.max(from, baseOffset), records);
  return next;
}

function check(batch: Buffer): void {
  const magic = batch.readInt8(AT.magic);
  if (magic !== MAGIC)
    throw new Error(`record format ${magic} of Kafka before 0.11; KAFKA_CLIENT=kafkajs reads it`);
  if (batch.readUInt32BE(AT.crc) !== checksum(batch.subarray(AT.attributes)))
    throw new Error('wrong checksum');
}

function readRecords(
  batch: Buffer,
  attributes: number,
  { topic, partition }: TopicPartition,
  from: number,
  records: KafkaRecord[],
): void {
  const baseOffset = int64(batch, AT.baseOffset);
  const baseTimestamp = int64(batch, AT.baseTimestamp);
  const appendTime = attributes & LOG_APPEND_TIME ? int64(batch, AT.maxTimestamp) : undefined;
  const reader = new ByteReader(plainRecords(batch, attributes));
  const first = records.length;
  try {
    for (let left = batch.readInt32BE(AT.recordCount); left > 0; left--) {
      const length = reader.varint();
      const end = reader.position + length;
      reader.skip(1);
      const timestamp = appendTime ?? baseTimestamp + reader.varlong();
      if (appendTime !== undefined) reader.varlong();
      const offset = baseOffset + reader.varint();
      const key = readBytes(reader);
      const value = readBytes(reader);
      const headers = readHeaders(reader);
      if (length < 0 || reader.position !== end || end > reader.bytes.length)
        throw new Error('a record breaks off');
      if (offset >= from) records.push({ topic, partition, offset, key, value, headers, timestamp });
    }
  } catch (error) {
    records.length = first;
    throw error;
  }
}

function plainRecords(batch: Buffer, attributes: number): Buffer {
  const records = batch.subarray(AT.records);
  const codec = CODECS[attributes & CODEC_MASK];
  if (codec) return decompress(codec, records);
  if (attributes & CODEC_MASK) throw new Error(`unknown codec ${attributes & CODEC_MASK}`);
  return records;
}

function readBytes(reader: ByteReader): Buffer | null {
  const length = reader.varint();
  return length < 0 ? null : reader.take(length);
}

/** A header without a value is read as an empty one: kafkajs can't pass on the former, and neither need anybody. */
function readHeaders(reader: ByteReader): RecordHeaders {
  const headers: Record<string, Buffer | Buffer[]> = {};
  for (let left = reader.varint(); left > 0; left--) {
    const length = reader.varint();
    const { position } = reader;
    if (length < 0 || position + length > reader.bytes.length) throw new Error('a header breaks off');
    const name = readName(reader.bytes, position, length);
    reader.skip(length);
    addHeader(headers, name, readBytes(reader) ?? NOTHING);
  }
  return headers;
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

function damaged({ topic, partition }: TopicPartition, batch: Buffer, cause: unknown): UnreadableBatch {
  const offset = int64(batch, AT.baseOffset);
  // Formats before Kafka 0.11 have no such field.
  const delta = batch.readInt8(AT.magic) === MAGIC ? batch.readInt32BE(AT.lastOffsetDelta) : 0;
  return new UnreadableBatch({ topic, partition, offset, lastOffset: offset + Math.max(0, delta) }, cause);
}
