/**
 * The layout of a record batch (https://kafka.apache.org/documentation/#recordbatch): where its fields begin, counted
 * from the first byte. Reading and writing are in files of their own.
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

/** What the length of a batch does not count: offset and length themselves. */
export const LENGTH_FROM = 12;
export const MAGIC = 2;

export const CODEC_MASK = 0b111;
export const LOG_APPEND_TIME = 1 << 3;
export const TRANSACTIONAL = 1 << 4;
export const CONTROL = 1 << 5;
/** By the number in the attributes; 0 is none. */
export const CODECS = [undefined, 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export const GZIP = 1;
