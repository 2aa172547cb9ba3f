import type { RecordHeaders } from '../../../schemas/framing/framing.js';
import { gzip } from '../../compression/compression.js';
import type { HeaderList } from '../../../schemas/headers/header-list.js';
import type { OutgoingRecord } from '../../port.js';
import { checksum } from '../../record-batches/checksum.js';
import { nameBytes } from '../../record-batches/header-names.js';
import { AT, GZIP, LENGTH_FROM, MAGIC, TRANSACTIONAL } from '../../record-batches/record-batch.js';

/** Producer identity, by which the broker detects duplicate batches. */
export interface ProducerIdentity {
  readonly id: bigint;
  readonly epoch: number;
  readonly transactional: boolean;
}

/** Maximum overhead of a record: length, attributes, timestamp, offset, lengths, header count. */
const RECORD_OVERHEAD = 5 + 1 + 8 + 5 + 5 + 5 + 5;
const VARINT_MAX = 5;

/**
 * Encodes records of one partition as one batch, compressed if one of them requests it.
 * @param sequence sequence number of the first record in the partition
 * @param now timestamp of records that have none, milliseconds since the epoch
 */
export function writeBatch(
  records: readonly OutgoingRecord[],
  { id, epoch, transactional }: ProducerIdentity,
  sequence: number,
  now: number,
): Buffer {
  const writer = new RecordWriter(AT.records + upperBound(records));
  const base = records[0]?.timestamp ?? now;
  let latest = base;
  records.forEach((record, delta) => {
    const timestamp = record.timestamp ?? now;
    latest = Math.max(latest, timestamp);
    writer.record(record, delta, timestamp - base);
  });
  const compress = records.some((record) => record.compress);
  const batch = compress ? writer.compressed() : writer.plain();
  batch.writeBigInt64BE(0n, AT.baseOffset);
  batch.writeInt32BE(batch.length - LENGTH_FROM, AT.length);
  batch.writeInt32BE(-1, AT.leaderEpoch);
  batch.writeInt8(MAGIC, AT.magic);
  batch.writeInt16BE((compress ? GZIP : 0) | (transactional ? TRANSACTIONAL : 0), AT.attributes);
  batch.writeInt32BE(records.length - 1, AT.lastOffsetDelta);
  batch.writeBigInt64BE(BigInt(base), AT.baseTimestamp);
  batch.writeBigInt64BE(BigInt(latest), AT.maxTimestamp);
  batch.writeBigInt64BE(id, AT.producerId);
  batch.writeInt16BE(epoch, AT.producerEpoch);
  batch.writeInt32BE(sequence, AT.baseSequence);
  batch.writeInt32BE(records.length, AT.recordCount);
  batch.writeUInt32BE(checksum(batch.subarray(AT.attributes)), AT.crc);
  return batch;
}

/** Writes records into a buffer with capacity for all of them, after space for the batch header. */
class RecordWriter {
  readonly #bytes: Buffer;
  #position: number = AT.records;

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  plain(): Buffer {
    return this.#bytes.subarray(0, this.#position);
  }

  compressed(): Buffer {
    return Buffer.concat([Buffer.alloc(AT.records), gzip(this.#bytes.subarray(AT.records, this.#position))]);
  }

  record(record: OutgoingRecord, delta: number, laterMs: number): void {
    const { key, value, headers, headerList } = record;
    if (headerList) return this.#listed({ key, value, headerList }, delta, laterMs);
    const names = Object.keys(headers);
    const later = zigzag(laterMs);
    this.#varint(bodyLength(record, names, delta) + longLength(later));
    this.#bytes[this.#position++] = 0;
    this.#long(later);
    this.#varint(delta);
    this.#content(key);
    this.#content(value);
    this.#varint(headerCount(headers, names));
    for (const name of names) this.#headers(name, headers[name]);
  }

  #listed({ key, value, headerList }: ListedRecord, delta: number, laterMs: number): void {
    const later = zigzag(laterMs);
    const withoutHeaders =
      1 + varintLength(delta) + longLength(later) + contentLength(key) + contentLength(value);
    this.#varint(withoutHeaders + listLength(headerList));
    this.#bytes[this.#position++] = 0;
    this.#long(later);
    this.#varint(delta);
    this.#content(key);
    this.#content(value);
    this.#varint(headerList.length);
    for (const [name, one] of headerList) this.#header(name, one);
  }

  #headers(name: string, value: Buffer | Buffer[] | undefined): void {
    if (Array.isArray(value)) for (const one of value) this.#header(name, one);
    else if (value !== undefined) this.#header(name, value);
  }

  #header(name: string, value: Buffer | null): void {
    this.#content(nameBytes(name));
    this.#content(value);
  }

  #content(content: Buffer | null): void {
    if (content === null) return this.#varint(-1);
    this.#varint(content.length);
    this.#bytes.set(content, this.#position);
    this.#position += content.length;
  }

  /** Writes a zigzag-encoded number of up to 2^53. */
  #long(value: number): void {
    let left = value;
    for (; left > 0x7f; left = Math.floor(left / 128)) this.#bytes[this.#position++] = (left % 128) | 0x80;
    this.#bytes[this.#position++] = left;
  }

  /** Zigzag-encodes and writes a number, seven bits per byte. */
  #varint(value: number): void {
    let left = ((value << 1) ^ (value >> 31)) >>> 0;
    for (; left > 0x7f; left >>>= 7) this.#bytes[this.#position++] = (left & 0x7f) | 0x80;
    this.#bytes[this.#position++] = left;
  }
}

/** Returns the encoded length of a record without its timestamp. @param names those of its headers */
function bodyLength(
  { key, value, headers }: OutgoingRecord,
  names: readonly string[],
  delta: number,
): number {
  let length = 1 + varintLength(delta) + contentLength(key) + contentLength(value);
  length += varintLength(headerCount(headers, names));
  for (const name of names) length += headersLength(name, headers[name]);
  return length;
}

/** A record with headers in order. */
type ListedRecord = Pick<OutgoingRecord, 'key' | 'value'> & { readonly headerList: HeaderList };

function listLength(headerList: HeaderList): number {
  return headerList.reduce(
    (sum, [name, value]) => sum + contentLength(nameBytes(name)) + contentLength(value),
    varintLength(headerList.length),
  );
}

function headersLength(name: string, value: Buffer | Buffer[] | undefined): number {
  if (value === undefined) return 0;
  const nameLength = contentLength(nameBytes(name));
  if (!Array.isArray(value)) return nameLength + contentLength(value);
  return value.reduce((sum, one) => sum + nameLength + contentLength(one), 0);
}

function headerCount(headers: RecordHeaders, names: readonly string[]): number {
  let count = 0;
  for (const name of names) {
    const value = headers[name];
    if (Array.isArray(value)) count += value.length;
    else if (value !== undefined) count++;
  }
  return count;
}

function contentLength(content: Buffer | null): number {
  return content === null ? 1 : varintLength(content.length) + content.length;
}

function varintLength(value: number): number {
  return longLength(value * 2);
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : value * -2 - 1;
}

/** Returns the encoded length of a zigzag number. */
function longLength(value: number): number {
  let length = 1;
  for (let left = value; left > 0x7f; left = Math.floor(left / 128)) length++;
  return length;
}

function upperBound(records: readonly OutgoingRecord[]): number {
  let bytes = 0;
  for (const { key, value, headers, headerList = [] } of records) {
    bytes += RECORD_OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0);
    for (const [name, header] of headerList)
      bytes += 2 * VARINT_MAX + 3 * name.length + (header?.length ?? 0);
    for (const name in headers) {
      const header = headers[name];
      const perHeader = 2 * VARINT_MAX + 3 * name.length;
      if (Array.isArray(header)) for (const one of header) bytes += perHeader + one.length;
      else if (header !== undefined) bytes += perHeader + header.length;
    }
  }
  return bytes;
}
