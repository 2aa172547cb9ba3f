const MIB = 1024 * 1024;

/** Approximate memory overhead of a record and of one of its headers, in addition to their bytes. */
export const RECORD_OVERHEAD_BYTES = 1024;
export const HEADER_OVERHEAD_BYTES = 200;

/** Limits on the records built from fetched batches, checked before they are built. */
export interface ReadLimits {
  /** Maximum size of one batch's records after decompression; a larger batch is unreadable. */
  readonly batchBytes: number;
  /** Maximum number of headers per record; a record with more is unreadable. */
  readonly recordHeaders: number;
  /** Records are delivered in chunks, each of which ends with the record that reaches one of these limits. */
  readonly chunkRecords: number;
  readonly chunkBytes: number;
}

/** Defaults for tools and clients, which hold records only briefly. */
export const DEFAULT_READ_LIMITS: ReadLimits = {
  batchBytes: 128 * MIB,
  recordHeaders: 16_384,
  chunkRecords: 1_000,
  chunkBytes: MIB,
};

const LEAST_RECORD_HEADERS = 1_024;
const LEAST_BATCH_BYTES = MIB;

export interface NodeBounds {
  readonly maxRecordBytes: number;
  readonly maxInflightRequests: number;
  readonly maxInflightBytes: number;
}

/** Derives a node's limits from its in-flight limits. */
export function nodeReadLimits(bounds: NodeBounds): ReadLimits {
  const { maxRecordBytes, maxInflightRequests, maxInflightBytes } = bounds;
  const quarter = Math.floor(maxInflightBytes / 4);
  return {
    batchBytes: Math.max(LEAST_BATCH_BYTES, 4 * maxRecordBytes, quarter),
    recordHeaders: Math.max(LEAST_RECORD_HEADERS, Math.floor(maxRecordBytes / 64)),
    chunkRecords: clamp(Math.floor(maxInflightRequests / 4), 1, DEFAULT_READ_LIMITS.chunkRecords),
    chunkBytes: clamp(quarter, 1, DEFAULT_READ_LIMITS.chunkBytes),
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
