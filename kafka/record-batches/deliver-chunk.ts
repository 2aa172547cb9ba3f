import type { ConsumerHandlers, TopicPartition } from '../port.js';
import type { Chunk } from './read-batches.js';

type Handlers = Pick<ConsumerHandlers, 'onRecords' | 'onUnreadable'>;

/** Delivers a chunk; returns a promise while the handler has no capacity for the next. */
export function deliverChunk(
  handlers: Handlers,
  { topic, partition }: TopicPartition,
  { records, unreadable }: Chunk,
  highWatermark: number,
): Promise<unknown> | undefined {
  const taken = records.length > 0 ? handlers.onRecords(records, highWatermark) : undefined;
  if (!unreadable) return taken ?? undefined;
  const { reason, offset, lastOffset } = unreadable;
  const noted = handlers.onUnreadable?.({ topic, partition, offset, lastOffset }, reason);
  return taken || noted ? Promise.all([taken, noted]) : undefined;
}
