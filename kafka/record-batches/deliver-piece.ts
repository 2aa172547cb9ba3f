import type { ConsumerHandlers, TopicPartition } from '../port.js';
import type { Piece } from './read-batches.js';

type Handlers = Pick<ConsumerHandlers, 'onRecords' | 'onUnreadable'>;

/** Hands a piece over; returns a promise while there is no room for the next. */
export function deliverPiece(
  handlers: Handlers,
  { topic, partition }: TopicPartition,
  { records, unreadable }: Piece,
  highWatermark: number,
): Promise<unknown> | undefined {
  const taken = records.length > 0 ? handlers.onRecords(records, highWatermark) : undefined;
  if (!unreadable) return taken ?? undefined;
  const { reason, offset, lastOffset } = unreadable;
  const noted = handlers.onUnreadable?.({ topic, partition, offset, lastOffset }, reason);
  return taken || noted ? Promise.all([taken, noted]) : undefined;
}
