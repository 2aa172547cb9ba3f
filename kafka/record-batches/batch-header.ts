import { checksum } from './checksum.js';
import { AT, LENGTH_FROM, MAGIC } from './record-batch.js';

const TWO_TO_32 = 2 ** 32;

/** Returns the complete batch at a position; undefined if it is truncated. */
export function batchAt(bytes: Buffer, position: number): Buffer | undefined {
  if (position + AT.records > bytes.length) return undefined;
  const length = LENGTH_FROM + bytes.readInt32BE(position + AT.length);
  const end = position + length;
  return length < AT.records || end > bytes.length ? undefined : bytes.subarray(position, end);
}

/** Returns the attributes of a batch. @throws Error if it is corrupted or in a format older than Kafka 0.11 */
export function verifiedAttributes(batch: Buffer): number {
  const magic = batch.readInt8(AT.magic);
  if (magic !== MAGIC)
    throw new Error(`record format ${magic} (Kafka before 0.11) is supported only with KAFKA_CLIENT=kafkajs`);
  if (batch.readUInt32BE(AT.crc) !== checksum(batch.subarray(AT.attributes)))
    throw new Error('wrong checksum');
  return batch.readInt16BE(AT.attributes);
}

/** Returns the offset after the last record of a batch. */
export function nextOffset(batch: Buffer): number {
  return int64(batch, AT.baseOffset) + batch.readInt32BE(AT.lastOffsetDelta) + 1;
}

/** Returns the offset after the last complete batch in `bytes`; undefined if there is none. */
export function endOfBatches(bytes: Buffer): number | undefined {
  let end: number | undefined;
  let position = 0;
  for (let batch = batchAt(bytes, 0); batch; batch = batchAt(bytes, position)) {
    end = nextOffset(batch);
    position += batch.length;
  }
  return end;
}

/** Reads a 64-bit field as a number, exact up to 2^53. */
export function int64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * TWO_TO_32 + bytes.readUInt32BE(at + 4);
}
