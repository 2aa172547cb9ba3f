import type {
  CommittedPosition,
  KafkaConsumer,
  KafkaRecord,
  TopicPartition,
  UnreadableRecords,
} from '../../kafka/port.js';
import { heldBytes } from '../../kafka/sending/record-bytes.js';
import { within } from '../../core/time.js';
import { Committer } from './committer.js';
import { OwnedPartitions } from './owned-partitions.js';
import type { AnyOutcome, RecordHandler } from './record-handler.js';
import { RecordFlow, type FlowOptions, type FlowParts, type FlowSource } from './record-flow.js';
import type { InFlightRecord, OwnedPartition, RecordEntry } from './record-job.js';
import { SchemaBarrier, type UnreadableRange } from './schema-barrier.js';
import { unreadableRecord } from './unreadable-record.js';

export interface RecordConsumerOptions extends FlowOptions {
  readonly ordered: boolean;
  readonly commitIntervalMs: number;
  readonly drainTimeoutMs: number;
  /** True if the publisher of outcomes commits offsets together with them. */
  readonly commitsWithOutcomes?: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The parts of a node that a consumer shares with others. */
export interface ConsumerParts extends FlowParts {
  /** Reads the committed positions of the group in the topic. */
  readonly readPositions: () => Promise<readonly CommittedPosition[]>;
}

/**
 * Moves every record of one topic from its fetch to its committed offset:
 * arrival → decision → work → outcome → ledger → publication → acknowledgement → commit.
 */
export class RecordConsumer<W extends object, O extends AnyOutcome> {
  readonly #partitions: OwnedPartitions<O>;
  readonly #barrier: SchemaBarrier;
  readonly #committer: Committer;
  readonly #flow: RecordFlow<W, O, RecordEntry<O>>;
  #closing: Promise<void> | undefined;
  /** Blocks further fetches once closing has begun. */
  #closed: Promise<void> | undefined;
  #releaseClosed: () => void = () => undefined;

  constructor(
    readonly consumer: KafkaConsumer,
    readonly handler: RecordHandler<W, O>,
    readonly options: RecordConsumerOptions,
    readonly parts: ConsumerParts,
  ) {
    this.#partitions = new OwnedPartitions({
      ordered: options.ordered,
      membership: () => consumer.membership(),
      markOf: (partition, position) => this.#committer.markOf(partition, position),
    });
    this.#barrier = this.#createBarrier();
    this.#committer = this.#createCommitter();
    this.#flow = new RecordFlow(handler, this.#asSource(), options, parts);
  }

  #asSource(): FlowSource<O, RecordEntry<O>> {
    return {
      held: ({ subject }) => subject,
      isRevoked: ({ subject }) => subject.partition.revoked,
      isSuspect: ({ offset, subject }) =>
        this.#committer.isIsolated || (subject.partition.crashes?.isSuspect(offset) ?? false),
      settled: (entry, outcome) => this.#settle(entry, outcome),
      crashed: () => this.#committer.isolate(),
    };
  }

  #createBarrier(): SchemaBarrier {
    return new SchemaBarrier({
      whenDecodable: (record) => this.handler.whenDecodable(record),
      accept: (record, arrivedAt) => this.#accept(record, arrivedAt),
      skipUnreadable: (range) => this.#skipUnreadable(range),
      whenBelowLimit: () => this.parts.inFlight.whenBelowLimit(),
      pause: (partition) => this.consumer.pause([partition]),
      resume: (partition) => this.consumer.resume([partition]),
      onStopped: (error) => this.options.onStopped(error),
    });
  }

  #createCommitter(): Committer {
    const { model, commitIntervalMs, drainTimeoutMs, commitsWithOutcomes = false, now } = this.options;
    const { readPositions, log } = this.parts;
    return new Committer(
      { model, commitIntervalMs, commitsWithOutcomes, releaseTimeoutMs: drainTimeoutMs },
      { consumer: this.consumer, readPositions, owned: () => this.#partitions.all, log, now },
    );
  }

  /** Joins the group. Resolves with the first assignment. */
  async start(): Promise<void> {
    await this.consumer.start({
      onRecords: (records, highWatermark) => this.#onRecords(records, highWatermark),
      onAssigned: (partitions) => this.#onAssigned(partitions),
      onRevoked: (partitions) => this.#onRevoked(partitions),
      onUnreadable: (position, reason) => this.#onUnreadable(position, reason),
      onCrash: (error) => this.options.onStopped(error),
    });
    this.#committer.start();
  }

  get owned(): readonly (TopicPartition & { readonly lagRecords: number })[] {
    return this.#partitions.all;
  }

  #onAssigned(partitions: readonly TopicPartition[]): void {
    this.#committer.reassigned();
    for (const assigned of partitions) {
      this.#revoke(assigned.partition);
      this.#partitions.own(assigned);
    }
    this.parts.log.info(
      { model: this.options.model, partitions: partitions.map(({ partition }) => partition) },
      'partitions assigned',
    );
  }

  #onRecords(records: readonly KafkaRecord[], highWatermark: number): void | Promise<void> {
    if (this.#closed) return this.#closed;
    const [first] = records;
    const last = records.at(-1);
    if (!first || !last) return;
    const opening = this.#opening(first, highWatermark);
    if (opening) return opening.then(() => this.#onRecords(records, highWatermark));
    if (this.#partitions.get(last.partition)) this.#barrier.deliver(last, records);
    this.#observeLag(last, highWatermark);
    return this.#whenBelowLimit(last.partition);
  }

  /** Returns a promise while the node's limits or the partition's ledger have no room for more records. */
  #whenBelowLimit(partition: number): Promise<void> | undefined {
    return this.#partitions.whenLedgerHasRoom(partition) ?? this.parts.inFlight.whenBelowLimit();
  }

  #onUnreadable(position: UnreadableRecords, reason: string): void | Promise<void> {
    if (this.#closed) return this.#closed;
    const opening = this.#opening(position, Infinity);
    if (opening) return opening.then(() => this.#onUnreadable(position, reason));
    this.#barrier.deliver(position, [{ kind: 'unreadable', position, reason }]);
    return this.#whenBelowLimit(position.partition);
  }

  /** Returns a promise until the partition of a first arrival is open; undefined if it is open or revoked. */
  #opening(
    { partition: number, offset }: Pick<KafkaRecord, 'partition' | 'offset'>,
    endOffset: number,
  ): Promise<void> | undefined {
    const partition = this.#partitions.get(number);
    if (!partition || partition.crashes) return undefined;
    partition.opening ??= this.#committer.open(partition, offset, endOffset);
    return partition.opening;
  }

  /** Publishes one dead letter for an unreadable range. */
  #skipUnreadable({ position, reason }: UnreadableRange): void {
    const { record, error } = unreadableRecord(position, reason, this.options.now());
    const entry = this.#enter(record);
    if (entry) this.#flow.finish(entry, this.handler.deadLetter(record, 'decode', error));
  }

  #observeLag({ topic, partition, offset }: KafkaRecord, highWatermark: number): void {
    const lag = Math.max(0, highWatermark - offset - 1);
    const owned = this.#partitions.get(partition);
    if (owned) owned.lagRecords = lag;
    this.parts.metrics.lagRecords.set({ topic, partition: String(partition) }, lag);
  }

  /** Opens the record's ledger entry; undefined for a redelivery or a partition that is not owned. */
  #enter(record: KafkaRecord): RecordEntry<O> | undefined {
    const partition = this.#current(record);
    if (!partition) return undefined;
    const bytes = heldBytes(record);
    const entry = partition.ledger.open(record.offset, { record, bytes, partition });
    if (entry) this.parts.inFlight.enter(bytes);
    return entry;
  }

  #accept(record: KafkaRecord, arrivedAt: number): void {
    const entry = this.#enter(record);
    if (!entry) return;
    const { partition } = entry.subject;
    this.#flow.accept(entry, arrivedAt);
    if (partition.crashes?.needsMark(record.offset)) void this.#committer.commit();
  }

  /** Returns the partition of a record. A record before all known offsets restarts it: a repeat is better than a loss. */
  #current({ topic, partition: number, offset }: KafkaRecord): OwnedPartition<O> | undefined {
    const partition = this.#partitions.get(number);
    if (!partition?.ledger.isRewound(offset)) return partition;
    this.parts.log.warn(
      { topic, partition: number, offset },
      'offsets went back; reading the partition again from this offset',
    );
    this.#revoke(number);
    return this.#partitions.own({ topic, partition: number }, partition.crashes);
  }

  #settle(entry: RecordEntry<O>, outcome: O): void {
    const { partition } = entry.subject;
    if (partition.revoked) return this.#leave(entry.subject);
    for (const released of partition.ledger.settle(entry, outcome, this.handler.overtakes(outcome)))
      this.#publish(released);
  }

  #publish(entry: RecordEntry<O>): void {
    if (!entry.outcome) return;
    const { offset, subject } = entry;
    const { partition } = subject;
    this.#flow.publish(entry, entry.outcome, partition, () => {
      partition.ledger.acknowledge(entry);
      this.#leave(subject);
      // Commits each suspect by itself: if this owner crashes too, its successor starts at the record that did it.
      if (partition.crashes?.isSuspect(offset)) void this.#committer.commit();
    });
  }

  #leave({ bytes, partition }: InFlightRecord<O>): void {
    this.parts.inFlight.leave(bytes);
    this.#partitions.left(partition);
  }

  async #onRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#drainAndRelease(partitions);
    for (const { partition } of partitions) this.#revoke(partition);
  }

  #revoke(number: number): void {
    const partition = this.#partitions.revoke(number);
    if (!partition) return;
    this.#barrier.drop(number);
    for (const { subject } of partition.ledger.abandon()) this.parts.inFlight.leave(subject.bytes);
    this.parts.metrics.lagRecords.remove({ topic: partition.topic, partition: String(number) });
  }

  async #drainAndRelease(partitions: readonly TopicPartition[]): Promise<void> {
    const { drainTimeoutMs, model } = this.options;
    try {
      await within(
        drainTimeoutMs,
        this.#partitions.drained(),
        () => new Error(`work in flight did not finish within ${drainTimeoutMs} ms`),
      );
    } catch (error) {
      this.parts.log.warn(
        { model, pending: this.#partitions.pending, err: error },
        'drain timed out; the next owner of the partitions repeats the work in flight',
      );
    }
    await this.#committer.release(partitions);
  }

  /** Stops fetching, finishes the work in flight, commits and leaves the group. */
  close(): Promise<void> {
    this.#closing ??= this.#close(() => this.#drainAndRelease(this.owned));
    return this.#closing;
  }

  /** Commits what is finished and leaves the group at once; the next owners repeat the work in flight. */
  abandon(): Promise<void> {
    this.#closing ??= this.#close(() => this.#committer.release(this.owned));
    return this.#closing;
  }

  async #close(finish: () => Promise<void>): Promise<void> {
    this.#closed = new Promise((resolve) => (this.#releaseClosed = resolve));
    this.#committer.stopOpening();
    for (const { partition } of this.#partitions.all) this.#barrier.drop(partition);
    await finish();
    this.#committer.close();
    const closing = this.consumer.close();
    this.#releaseClosed();
    const late = (): Error => new Error('the consumer did not close in time');
    await within(this.options.drainTimeoutMs, closing, late).catch((error: unknown) => {
      this.parts.log.warn(
        { model: this.options.model, err: error },
        'closing the consumer failed; its partitions are reassigned after the session timeout',
      );
    });
    for (const { partition } of this.#partitions.all) this.#revoke(partition);
    this.parts.inFlight.end();
  }
}
