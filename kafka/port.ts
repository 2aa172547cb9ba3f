import type { Abilities } from './abilities.js';
import type { Headers } from '../schemas/headers/header-list.js';
import type { Outages } from './errors/outages.js';
import type { ReadLimits } from './record-batches/read-limits.js';
import type { PartitionLag, ShareConsumer, ShareConsumerOptions } from './share-port.js';

/**
 * The part of a Kafka client that Partitura uses. `integration-tests/support/conformance/` tests the behavior that
 * every implementation must have; the node and the client library depend on this file only.
 *
 * `close`, on any of these objects, may be called at any time and completes within a bounded time; pending calls such
 * as `connect` and `start` then fail.
 */
export interface KafkaClient {
  readonly abilities: Abilities;
  /** Announces when the brokers become unavailable and when they are available again. */
  readonly outages: Outages;
  /** Idempotent; records are acknowledged by all in-sync replicas. */
  producer(): KafkaProducer;
  consumer(options: ConsumerOptions): KafkaConsumer;
  /** @throws KafkaError if the client has no share groups: see `KafkaAdmin.shareGroupProblem` */
  shareConsumer(options: ShareConsumerOptions): ShareConsumer;
  /**
   * Sends records and commits offsets atomically.
   * @param transactionalId identity of the producer: a later producer with the same id fences this one
   */
  transactionalProducer(transactionalId: string): TransactionalProducer;
  admin(): KafkaAdmin;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A consumed record. Offsets are numbers: exact up to 2^53. */
export interface KafkaRecord extends TopicPartition, Headers {
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Milliseconds since the epoch; -1 if the record has no timestamp. */
  readonly timestamp: number;
}

/** A record to produce. Without a partition, the key selects one (murmur2, as in Java); without a key, it varies. */
export interface OutgoingRecord extends Headers {
  readonly topic: string;
  readonly partition?: number | undefined;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Milliseconds since the epoch. Default: the time of sending. */
  readonly timestamp?: number | undefined;
  /** True to compress the record (gzip), because it would be too large otherwise. */
  readonly compress?: boolean;
}

export interface KafkaProducer {
  connect(): Promise<void>;
  /**
   * Resolves once every record is acknowledged. Successive calls keep their order per partition.
   * @throws KafkaError if at least one record is not acknowledged; which ones arrived is then unknown
   */
  send(records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

export interface TransactionalProducer {
  /** Initializes the transactional id: fences the previous owner and aborts its open transaction. */
  connect(): Promise<void>;
  /**
   * Sends the records and commits the group's offsets, both or neither: consumers of committed records see all of
   * them once this has resolved, and none if it has thrown. Calls run one at a time.
   * @throws KafkaError of kind `fenced` once another producer has initialized the id: permanently, until `connect` is
   * called again
   */
  sendWithOffsets(records: readonly OutgoingRecord[], offsets?: GroupOffsets): Promise<void>;
  close(): Promise<void>;
}

/** Offsets to commit with a transaction: each is the offset of the next record to read. */
export interface GroupOffsets {
  /** From `KafkaConsumer.membership`; a member that has since lost its partitions is rejected with `rebalanced`. */
  readonly member: GroupMembership;
  readonly positions: readonly Position[];
}

/** An offset to commit: that of the next record to read. */
export interface Position extends TopicPartition {
  readonly offset: number;
  /** Text stored with the offset; limited to 4,096 bytes by the broker's default. */
  readonly metadata?: string | undefined;
}

/** Identity of a member within its group. */
export interface GroupMembership {
  readonly group: string;
  /** Empty, with generation -1, for a committer outside the group: accepted without an ownership check. */
  readonly memberId: string;
  readonly generation: number;
  readonly instanceId?: string | undefined;
}

export interface ConsumerOptions {
  readonly group: string;
  readonly topic: string;
  /** Start position in a partition without a committed offset. */
  readonly from: 'earliest' | 'latest';
  /**
   * Reads exactly these partitions and keeps its own positions: they start at `from`, as resolved before `start`
   * returns, and survive a rebalance. For groups with one member.
   */
  readonly partitions?: readonly number[];
  /** With `partitions`: start offsets that override `from`. Offsets that no longer exist are ignored. */
  readonly offsets?: ReadonlyMap<number, number>;
  /** Ignored with `groupProtocol: 'consumer'`, where the broker decides. */
  readonly sessionTimeoutMs: number;
  readonly fetchMaxBytes: number;
  /** Limits on the records built from fetched batches. Default: the limits for tools and clients. */
  readonly readLimits?: ReadLimits | undefined;
  /**
   * Static membership: a name of this member that outlives its process. When the member closes or dies, its
   * partitions stay assigned to it until the session times out, without a rebalance. Must be unique among live
   * members.
   */
  readonly instanceId?: string | undefined;
  /**
   * `classic` (default): all members give up all partitions at every rebalance. `consumer` (KIP-848, Kafka 4.0): the
   * broker assigns, and only reassigned partitions are given up.
   */
  readonly groupProtocol?: GroupProtocol | undefined;
}

export type GroupProtocol = 'classic' | 'consumer';

export interface KafkaConsumer {
  /** Joins the group and resolves with the first assignment. Handlers are called from then on. */
  start(handlers: ConsumerHandlers): Promise<void>;
  /** Stops delivering records of these partitions after the current chunk, until `resume`. */
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /** @throws KafkaError of kind `rebalanced` if the partitions may already be assigned to another member */
  commit(positions: readonly Position[]): Promise<void>;
  /** Returns the member's identity in the group, for `TransactionalProducer`. */
  membership(): GroupMembership;
  /** Leaves the group, so that its partitions are reassigned at once, unless it has an instance id. */
  close(): Promise<void>;
}

export interface ConsumerHandlers {
  /**
   * Accepts records of one partition; a fetch is delivered in chunks. A returned promise delays the next chunk and
   * the next fetch while heartbeats continue: backpressure without pausing.
   */
  onRecords(records: readonly KafkaRecord[], highWatermark: number): void | Promise<void>;
  /** Receives newly assigned partitions; partitions kept through a rebalance are not included. */
  onAssigned(partitions: readonly TopicPartition[]): void;
  /**
   * Receives partitions that are about to be revoked (all of them with the classic protocol); the group waits for the
   * promise. Until it settles, commits still succeed and no records are delivered.
   */
  onRevoked(partitions: readonly TopicPartition[]): Promise<void>;
  /**
   * Reports that the records from `offset` to `lastOffset` are skipped, because they cannot be read, or exceed the
   * limits, even after repeated fetches. A returned promise delays what follows, as with `onRecords`.
   */
  onUnreadable?(position: UnreadableRecords, reason: string): void | Promise<void>;
  /**
   * Reports that every visible record of a partition before this offset has been delivered. Invisible ones are
   * transaction markers, records of aborted transactions and records removed by compaction. Called only for fixed
   * `partitions`.
   */
  onPosition?(position: PartitionOffset): void;
  /** Reports that the consumer has ended because of an error that it cannot recover from. */
  onCrash(error: KafkaError): void;
}

export interface PartitionOffset {
  readonly partition: number;
  readonly offset: number;
}

export interface CommittedPosition extends PartitionOffset {
  /** Text committed with the offset; empty if there is none. */
  readonly metadata: string;
}

export interface UnreadableRecords extends TopicPartition {
  readonly offset: number;
  readonly lastOffset: number;
}

export interface TopicSpec {
  readonly topic: string;
  readonly partitions: number;
  /** -1: the broker's default. */
  readonly replicationFactor: number;
  readonly config?: Readonly<Record<string, string>>;
}

export interface PartitionOffsets {
  readonly partition: number;
  /** Offset that the next record will get. */
  readonly end: number;
  /** Oldest offset still in the log. */
  readonly start: number;
}

export interface KafkaAdmin {
  connect(): Promise<void>;
  /** Creates the missing topics and returns their names. */
  createTopics(topics: readonly TopicSpec[]): Promise<string[]>;
  listTopics(): Promise<string[]>;
  /** Returns undefined if the topic does not exist. */
  partitionCount(topic: string): Promise<number | undefined>;
  /**
   * Returns a topic's effective settings, which fall back to the broker's.
   * @throws KafkaError of kind `not-authorized` if topics may be used but not described
   */
  topicSettings(topic: string, names: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /**
   * Returns effective settings of one broker; brokers are assumed to be configured alike.
   * @throws KafkaError of kind `not-authorized` if the cluster may not be described
   */
  brokerSettings(names: readonly string[]): Promise<ReadonlyMap<string, string>>;
  offsets(topic: string): Promise<PartitionOffsets[]>;
  /**
   * Returns, per partition, the first offset at or after a time (milliseconds since the epoch), or the end offset if
   * there is none.
   */
  offsetsAt(topic: string, timestamp: number): Promise<PartitionOffset[]>;
  /** Returns the committed offset per partition; -1 if there is none. */
  committed(group: string, topic: string): Promise<CommittedPosition[]>;
  /** Returns the reason why share groups cannot be used, on this client or these brokers; undefined if they can. */
  shareGroupProblem(): Promise<string | undefined>;
  /**
   * Returns the lag of a share group in the partitions that it has read.
   * @throws KafkaError if the group does not exist, or the client has no share groups
   */
  shareGroupLag(group: string, topic: string): Promise<PartitionLag[]>;
  /**
   * Permanently deletes all records before these offsets.
   * @throws KafkaError if the broker refuses, for example for compacted topics or offsets past the end
   */
  deleteRecords(topic: string, before: readonly PartitionOffset[]): Promise<void>;
  deleteTopics(topics: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** Classification of a Kafka client's error, by what the caller can do about it. */
export type KafkaErrorKind =
  /** A record is larger than the broker or the topic allows. */
  | 'too-large'
  /** The topic rejects the record for another reason; retrying cannot help. */
  | 'refused'
  | 'unknown-topic'
  | 'not-authorized'
  /** Login or TLS settings do not match the brokers; only a configuration change helps. */
  | 'unauthenticated'
  /** The group has rebalanced; the caller no longer owns its partitions. */
  | 'rebalanced'
  /** The group exists with another type: a consumer group or a share group. */
  | 'other-group-type'
  /** The producer's identity is no longer valid; a new one must be created. */
  | 'fenced'
  /** Brokers or network are unavailable; the same call may succeed later. */
  | 'unavailable'
  | 'other';

export class KafkaError extends Error {
  override readonly name = 'KafkaError';
  /** True if the error may be caused by the record as well as by the broker's own state. */
  readonly mayBeOfRecord: boolean;

  constructor(
    readonly kind: KafkaErrorKind,
    message: string,
    { mayBeOfRecord = false, ...options }: ErrorOptions & { readonly mayBeOfRecord?: boolean } = {},
  ) {
    super(message, options);
    this.mayBeOfRecord = mayBeOfRecord;
  }

  /** True if the same call may succeed later without any change. */
  get retriable(): boolean {
    return this.kind === 'unavailable';
  }
}

/** Returns true for an outage, which the Kafka client itself announces. */
export function isOutage(error: unknown): boolean {
  return error instanceof KafkaError && error.retriable;
}
