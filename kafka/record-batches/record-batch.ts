/**
 * Layout of a record batch (https://kafka.apache.org/documentation/#recordbatch): offsets of its fields from the
 * first byte. Reading and writing have their own files.
 */
export const AT = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
} as const;

/** Bytes that a batch's length does not count: the base offset and the length itself. */
export const LENGTH_FROM = 12;
export const MAGIC = 2;

export const CODEC_MASK = 0b111;
export const LOG_APPEND_TIME = 1 << 3;
export const TRANSACTIONAL = 1 << 4;
export const CONTROL = 1 << 5;
/** Codecs by their number in the attributes; 0 is none. */
export const CODECS = [undefined, 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export const GZIP = 1;
