import type { Abilities } from './abilities.js';
import type { Headers } from '../schemas/headers/header-list.js';
import type { Outages } from './errors/outages.js';
import type { ReadLimits } from './record-batches/read-limits.js';

/**
 * What Partitura needs of a Kafka client, and no more. `integration-tests/support/conformance/` says in tests
 * what an implementation must do; node and client library know only this file.
 *
 * `close`, of any of its objects, may be called at any time and takes a bounded one: calls under way, such as `connect`
 * and `start`, fail then.
 */
export interface KafkaClient {
  readonly abilities: Abilities;
  /** Announces when the brokers are away, and when they are back. */
  readonly outages: Outages;
  /** Idempotent, acknowledged by all in-sync replicas. */
  producer(): KafkaProducer;
  consumer(options: ConsumerOptions): KafkaConsumer;
  /**
   * Sends records and commits positions as one.
   * @param transactionalId the name under which it is known: who comes later under the same name shuts the former out
   */
  transactionalProducer(transactionalId: string): TransactionalProducer;
  admin(): KafkaAdmin;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A record as consumed. Offsets are numbers: exact up to 2^53. */
export interface KafkaRecord extends TopicPartition, Headers {
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Milliseconds since the epoch; -1 where the record has no time. */
  readonly timestamp: number;
}

/** A record to produce; without a partition the key decides it (murmur2, as in Java), without a key chance does. */
export interface OutgoingRecord extends Headers {
  readonly topic: string;
  readonly partition?: number | undefined;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Milliseconds since the epoch; when it is sent, where left out. */
  readonly timestamp?: number | undefined;
  /** Whether it should go compressed (gzip), because it would be too large otherwise. */
  readonly compress?: boolean;
}

export interface KafkaProducer {
  connect(): Promise<void>;
  /**
   * Resolves when every record is acknowledged. Calls made one after another keep their order per partition.
   * @throws KafkaError when at least one record is not; which ones arrived is then unknown
   */
  send(records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

export interface TransactionalProducer {
  /** Takes the name over; a transaction that its former owner has not finished is given up. */
  connect(): Promise<void>;
  /**
   * Sends the records and moves the group's positions, both or neither: who reads committed records sees all of them
   * after it resolved, and none when it threw. One call goes after the other.
   * @throws KafkaError of kind `fenced` once another producer has the name: for good, until `connect` takes it back
   */
  sendWithOffsets(records: readonly OutgoingRecord[], offsets?: GroupOffsets): Promise<void>;
  close(): Promise<void>;
}

/** Positions to commit with a transaction: each offset is that of the next record to read. */
export interface GroupOffsets {
  /** From `KafkaConsumer.membership`; a member that has lost its partitions meanwhile is refused as `rebalanced`. */
  readonly member: GroupMembership;
  readonly positions: readonly Position[];
}

/** A position to commit: the offset of the next record to read. */
export interface Position extends TopicPartition {
  readonly offset: number;
  /** Text that is kept with the position, at most 4,096 bytes by the broker's default. */
  readonly metadata?: string | undefined;
}

/** What a group knows a member by. */
export interface GroupMembership {
  readonly group: string;
  /** Empty, with generation -1, for somebody outside: accepted without a check of who has the partitions. */
  readonly memberId: string;
  readonly generation: number;
  readonly instanceId?: string | undefined;
}

export interface ConsumerOptions {
  readonly group: string;
  readonly topic: string;
  /** Where to begin in a partition without a committed offset. */
  readonly from: 'earliest' | 'latest';
  /**
   * Reads just these partitions and keeps its positions itself: they begin at `from` as it was before `start`
   * resolved, and survive a rebalance. For groups with one member.
   */
  readonly partitions?: readonly number[];
  /** With `partitions`: where these begin instead. An offset that is gone by then is as if it were not here. */
  readonly offsets?: ReadonlyMap<number, number>;
  /** With `groupProtocol: 'consumer'` the broker decides instead. */
  readonly sessionTimeoutMs: number;
  readonly fetchMaxBytes: number;
  /** Bounds of what is built from fetched batches; those of tools and clients where left out. */
  readonly readLimits?: ReadLimits | undefined;
  /**
   * Name of this member beyond its life (static membership): when it closes or dies, its partitions wait for it
   * until the session times out, and nobody else is disturbed. One at a time may use it.
   */
  readonly instanceId?: string | undefined;
  /**
   * `classic` (default): all members give up all partitions at every change. `consumer` (KIP-848, Kafka 4.0): the
   * broker assigns, and only partitions that go elsewhere are given up.
   */
  readonly groupProtocol?: GroupProtocol | undefined;
}

export type GroupProtocol = 'classic' | 'consumer';

export interface KafkaConsumer {
  /** Joins the group and resolves with the first assignment. Handlers are called from then on. */
  start(handlers: ConsumerHandlers): Promise<void>;
  /** No more records of these partitions are delivered after the current piece, until `resume`. */
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /** @throws KafkaError, of kind `rebalanced` when the partitions may belong to another member by now */
  commit(positions: readonly Position[]): Promise<void>;
  /** Who this is in its group, for `TransactionalProducer`. */
  membership(): GroupMembership;
  /** Leaves the group, so that others get the partitions at once, unless it has an instance id. */
  close(): Promise<void>;
}

export interface ConsumerHandlers {
  /**
   * Takes over records of one partition: a fetch comes in pieces. A promise that it returns holds back the next piece and
   * the next fetch, while heartbeats go on: backpressure without pausing.
   */
  onRecords(records: readonly KafkaRecord[], highWatermark: number): void | Promise<void>;
  /** Partitions that have come; those that were kept meanwhile are not among them. */
  onAssigned(partitions: readonly TopicPartition[]): void;
  /**
   * Partitions that are about to be given up, all of them with the classic protocol; the group waits for the promise.
   * Commits still succeed until then, and no records are delivered.
   */
  onRevoked(partitions: readonly TopicPartition[]): Promise<void>;
  /**
   * Skips records from `offset` to `lastOffset`, which cannot be read or are beyond the limits, however often they are
   * fetched. A promise holds back what follows, as with `onRecords`.
   */
  onUnreadable?(position: UnreadableRecords, reason: string): void | Promise<void>;
  /**
   * All of a partition before this offset was handed over, or is not to be seen: a transaction's marker, records of one
   * that was given up, what compaction has taken out. Told of fixed `partitions`.
   */
  onPosition?(position: PartitionOffset): void;
  /** The consumer has ended by itself and won't recover. */
  onCrash(error: KafkaError): void;
}

export interface PartitionOffset {
  readonly partition: number;
  readonly offset: number;
}

export interface CommittedPosition extends PartitionOffset {
  /** Text that was committed with the position; empty where there is none. */
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
  /** The next offset that a record will get. */
  readonly end: number;
  /** The oldest offset still there. */
  readonly start: number;
}

export interface KafkaAdmin {
  connect(): Promise<void>;
  /** Creates the topics that are missing; says which those were. */
  createTopics(topics: readonly TopicSpec[]): Promise<string[]>;
  listTopics(): Promise<string[]>;
  /** Undefined when the topic does not exist. */
  partitionCount(topic: string): Promise<number | undefined>;
  /**
   * The settings of a topic that are in force, the broker's where it has none of its own.
   * @throws KafkaError, of kind `not-authorized` where topics may be used but not described
   */
  topicSettings(topic: string, names: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /**
   * Settings that are in force on one of the brokers, which are taken to be alike.
   * @throws KafkaError, of kind `not-authorized` where the cluster may not be described
   */
  brokerSettings(names: readonly string[]): Promise<ReadonlyMap<string, string>>;
  offsets(topic: string): Promise<PartitionOffsets[]>;
  /** Of each partition the first offset whose record is not older, in milliseconds since the epoch; its end where there is none. */
  offsetsAt(topic: string, timestamp: number): Promise<PartitionOffset[]>;
  /** Committed position per partition; -1 where there is none. */
  committed(group: string, topic: string): Promise<CommittedPosition[]>;
  /**
   * Deletes all records before these offsets, for good.
   * @throws KafkaError when the broker refuses, as for compacted topics and offsets after the end
   */
  deleteRecords(topic: string, before: readonly PartitionOffset[]): Promise<void>;
  deleteTopics(topics: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** What an error of a Kafka client means for whoever called. */
export type KafkaErrorKind =
  /** A record is larger than the broker or the topic takes. */
  | 'too-large'
  /** A record is not what its topic takes, for another reason: as it is it never will be. */
  | 'refused'
  | 'unknown-topic'
  | 'not-authorized'
  /** Login or TLS do not fit the brokers: only another configuration helps. */
  | 'unauthenticated'
  /** The group has moved on; the caller's claim on its partitions is void. */
  | 'rebalanced'
  /** The producer's identity is no longer accepted: a new one must be made. */
  | 'fenced'
  /** Broker or network are away: the same call may succeed later. */
  | 'unavailable'
  | 'other';

export class KafkaError extends Error {
  override readonly name = 'KafkaError';
  /** Whether the broker's name for it leaves open if the record that was sent or its own state is to blame. */
  readonly mayBeOfRecord: boolean;

  constructor(
    readonly kind: KafkaErrorKind,
    message: string,
    { mayBeOfRecord = false, ...options }: ErrorOptions & { readonly mayBeOfRecord?: boolean } = {},
  ) {
    super(message, options);
    this.mayBeOfRecord = mayBeOfRecord;
  }
}

/** Tells an outage, which the Kafka client announces by itself and which is nobody's fault here. */
export function isOutage(error: unknown): boolean {
  return error instanceof KafkaError && error.kind === 'unavailable';
}
