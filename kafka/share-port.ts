import type { KafkaError, KafkaRecord, PartitionOffset, TopicPartition, UnreadableRecords } from './port.js';
import type { ReadLimits } from './record-batches/read-limits.js';

export interface ShareConsumerOptions {
  /** Name of the share group; a consumer group must not have the same name. A new group starts at the earliest record. */
  readonly group: string;
  readonly topic: string;
  readonly fetchMaxBytes: number;
  readonly readLimits?: ReadLimits | undefined;
}

/** A record that is locked for this member of a share group. */
export interface SharedRecord {
  readonly record: KafkaRecord;
  /** Deliveries of this record so far, including this one. */
  readonly deliveries: number;
}

/**
 * End of a delivery: `accept` for a processed record, `release` to have it delivered again, to any member, `reject`
 * for a record that is not to be delivered again although it was not processed.
 */
export type Acknowledgement = 'accept' | 'release' | 'reject';

/**
 * A member of a share group (KIP-932): each record goes to one member, whichever asks first. It stays locked, and its
 * lock is renewed, until it is acknowledged; what a member holds when it ends is delivered again. There is no order.
 */
export interface ShareConsumer {
  /** Joins the group and resolves once partitions are assigned. */
  start(handlers: ShareHandlers): Promise<void>;
  /** Ends a delivery. Acknowledgements are sent together with the next fetch, or after a moment. */
  acknowledge(record: PartitionOffset, how: Acknowledgement): void;
  /** Asks for the handler's room again, which may have grown. */
  wake(): void;
  /** Partitions assigned to this member, with others. */
  readonly assigned: readonly TopicPartition[];
  /** Sends all acknowledgements, releases the records that are still held, and leaves the group. */
  close(): Promise<void>;
}

export interface ShareHandlers {
  /**
   * Returns how many records can be taken now. The consumer never acquires more; while few records wait, it asks for few at
   * a time, because other members may be idle.
   * @param aheadMs time for which records may wait here behind others, milliseconds; 0 while few records wait in the queue
   */
  room(aheadMs: number): number;
  /** Accepts records. A returned promise delays the next ones; locks are renewed meanwhile. */
  onRecords(records: readonly SharedRecord[]): void | Promise<void>;
  /** Reports records that cannot be read. The consumer rejects them once the returned promise has resolved. */
  onUnreadable(position: UnreadableRecords, reason: string): void | Promise<void>;
  /** Reports locks that were lost before their records were acknowledged; these are delivered again. */
  onLost?(records: number, reason: string): void;
  /** Reports that the consumer has ended because of an error that it cannot recover from. */
  onCrash(error: KafkaError): void;
}

export interface PartitionLag {
  readonly partition: number;
  /** Records that the group has still to process, those being processed included. */
  readonly lag: number;
}
