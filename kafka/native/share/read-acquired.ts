import type { TopicPartition } from '../../port.js';
import type { SharedRecord } from '../../share-port.js';
import { BatchReader, UnreadableBatch, type Chunk } from '../../record-batches/read-batches.js';
import { DEFAULT_READ_LIMITS, type ReadLimits } from '../../record-batches/read-limits.js';
import type { SharedPartition } from '../protocol/share-fetch.js';

/** Deliveries of records in a corrupted batch: the corruption may be in transit, not in the log. */
const TRIES_FOR_DAMAGED = 2;

/** Acquired records of one partition, in order of offset. */
export interface AcquiredChunk {
  readonly records: readonly SharedRecord[];
  /** Offsets that hold no visible record: they were compacted, or hold the end of a transaction. */
  readonly gaps: readonly number[];
  /** Offsets that could not be read this time. */
  readonly damaged: readonly number[];
  readonly unreadable?: { readonly offsets: readonly number[]; readonly reason: string };
}

type Acquired = Pick<SharedPartition, 'batches' | 'acquired'>;

/** Reads the records that were acquired; the batches may hold others, of other members. */
export function* readAcquired(
  { batches, acquired }: Acquired,
  at: TopicPartition,
  limits: ReadLimits = DEFAULT_READ_LIMITS,
): Generator<AcquiredChunk> {
  const open = deliveriesByOffset(acquired);
  const [from] = open.keys();
  if (from === undefined) return;
  const chunkRecords = Math.min(open.size, limits.chunkRecords);
  const reader = new BatchReader(batches ?? Buffer.alloc(0), at, from, {
    limits: { ...limits, chunkRecords },
  });
  try {
    for (let chunk = reader.next(); chunk && open.size > 0; chunk = reader.next()) yield take(open, chunk);
  } catch (cause) {
    if (!(cause instanceof UnreadableBatch)) throw cause;
    yield* giveUp(open, cause);
  }
  if (open.size > 0) yield { records: [], gaps: [], damaged: [...open.keys()] };
}

function deliveriesByOffset(acquired: SharedPartition['acquired']): Map<number, number> {
  const open = new Map<number, number>();
  for (const { first, last, deliveries } of acquired)
    for (let offset = first; offset <= last; offset++) open.set(offset, deliveries);
  return open;
}

/** Takes out of `open` all offsets of a chunk. */
function take(open: Map<number, number>, { records, unreadable, next }: Chunk): AcquiredChunk {
  const mine: SharedRecord[] = [];
  for (const record of records) {
    const deliveries = open.get(record.offset);
    if (deliveries === undefined) continue;
    open.delete(record.offset);
    mine.push({ record, deliveries });
  }
  const skipped =
    unreadable && takeOut(open, (offset) => offset >= unreadable.offset && offset <= unreadable.lastOffset);
  const gaps = takeOut(open, (offset) => offset < next);
  const chunk = { records: mine, gaps, damaged: [] };
  return unreadable && skipped
    ? { ...chunk, unreadable: { offsets: skipped, reason: unreadable.reason } }
    : chunk;
}

/** Gives up a batch that stays corrupted. */
function* giveUp(open: Map<number, number>, { records, message }: UnreadableBatch): Generator<AcquiredChunk> {
  const isLost = (offset: number): boolean =>
    offset >= records.offset && offset <= records.lastOffset && (open.get(offset) ?? 0) >= TRIES_FOR_DAMAGED;
  const offsets = takeOut(open, isLost);
  if (offsets.length > 0)
    yield { records: [], gaps: [], damaged: [], unreadable: { offsets, reason: message } };
}

function takeOut(open: Map<number, number>, matches: (offset: number) => boolean): number[] {
  const taken = [...open.keys()].filter(matches);
  for (const offset of taken) open.delete(offset);
  return taken;
}
