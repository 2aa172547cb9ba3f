const MIB = 1024 * 1024;

/** Rough sizes of what the runtime keeps for a record and for one of its headers, beside their bytes. */
export const RECORD_OVERHEAD_BYTES = 1024;
export const HEADER_OVERHEAD_BYTES = 200;

/** Bounds of what is built from fetched batches, checked before it is built. */
export interface ReadLimits {
  /** The most bytes of one batch's records once decompressed; a larger batch is unreadable. */
  readonly batchBytes: number;
  /** The most headers of one record; a record with more is unreadable. */
  readonly recordHeaders: number;
  /** Records are handed over in pieces, each of which ends with the record that reaches one of these. */
  readonly pieceRecords: number;
  readonly pieceBytes: number;
}

/** For tools and clients, which hold what they read for a moment. */
export const DEFAULT_READ_LIMITS: ReadLimits = {
  batchBytes: 128 * MIB,
  recordHeaders: 16_384,
  pieceRecords: 1_000,
  pieceBytes: MIB,
};

const LEAST_RECORD_HEADERS = 1_024;
const LEAST_BATCH_BYTES = MIB;

export interface NodeBounds {
  readonly maxRecordBytes: number;
  readonly maxInflightRequests: number;
  readonly maxInflightBytes: number;
}

/** The limits of a node, in proportion to what it may have in flight. */
export function nodeReadLimits(bounds: NodeBounds): ReadLimits {
  const { maxRecordBytes, maxInflightRequests, maxInflightBytes } = bounds;
  const quarter = Math.floor(maxInflightBytes / 4);
  return {
    batchBytes: Math.max(LEAST_BATCH_BYTES, 4 * maxRecordBytes, quarter),
    recordHeaders: Math.max(LEAST_RECORD_HEADERS, Math.floor(maxRecordBytes / 64)),
    pieceRecords: clamp(Math.floor(maxInflightRequests / 4), 1, DEFAULT_READ_LIMITS.pieceRecords),
    pieceBytes: clamp(quarter, 1, DEFAULT_READ_LIMITS.pieceBytes),
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
