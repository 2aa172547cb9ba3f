import type { GroupMembership, KafkaRecord, TopicPartition, UnreadableRecords } from '../../kafka/port.js';
import type { PartitionLag, ShareConsumer, SharedRecord } from '../../kafka/share-port.js';
import { heldBytes } from '../../kafka/sending/record-bytes.js';
import { sleep, within } from '../../core/time.js';
import { PartituraError } from '../../schemas/errors.js';
import { Isolation } from './isolation.js';
import { lastResortDelivery } from './delivery-limit.js';
import {
  RecordFlow,
  type FlowOptions,
  type FlowParts,
  type FlowSource,
  type HeldRecord,
} from './record-flow.js';
import type { AnyOutcome, PartitionLease, RecordHandler } from './record-handler.js';
import { unreadableRecord } from './unreadable-record.js';

const LAG_INTERVAL_MS = 2_000;

export interface QueueConsumerOptions extends FlowOptions {
  readonly drainTimeoutMs: number;
  /** Deliveries after which the broker archives a record. */
  readonly deliveryLimit: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface QueueConsumerParts extends FlowParts {
  /** Returns how many records can be computed at once, or would have to wait for at most this long, milliseconds. */
  readonly capacity: (aheadMs: number) => number;
  readonly readLag: () => Promise<readonly PartitionLag[]>;
}

/** A record that this node has taken from the queue. */
interface QueuedRecord extends HeldRecord {
  readonly deliveries: number;
}

/**
 * Takes records of one topic from a share group and moves each to its outcome, in any order: delivery → decision → work →
 * outcome → publication → acknowledgement of the outcome → acknowledgement of the record. What has no outcome when the
 * node ends is delivered to another one.
 */
export class QueueConsumer<W extends object, O extends AnyOutcome> {
  readonly #flow: RecordFlow<W, O, QueuedRecord>;
  readonly #isolation: Isolation;
  readonly #taken = new Map<string, QueuedRecord>();
  readonly #lease: PartitionLease;
  readonly #ending = new AbortController();
  /** True while the node's limits are reached. */
  #isWaiting = false;
  #lags: readonly PartitionLag[] = [];
  #drained: () => void = () => undefined;
  #closing: Promise<void> | undefined;

  constructor(
    readonly consumer: ShareConsumer,
    readonly handler: RecordHandler<W, O>,
    readonly options: QueueConsumerOptions,
    readonly parts: QueueConsumerParts,
  ) {
    this.#isolation = new Isolation(options.model, parts.log, options.now);
    this.#flow = new RecordFlow(handler, this.#asSource(), options, parts);
    this.#lease = leaseOf(options.group);
  }

  #asSource(): FlowSource<O, QueuedRecord> {
    return {
      held: (entry) => entry,
      isRevoked: () => false,
      isSuspect: ({ deliveries }) => deliveries > 1 || this.#isolation.isActive,
      settled: (entry, outcome) => this.#publish(entry, outcome),
      crashed: () => this.#isolation.begin(),
    };
  }

  /** Joins the share group. Resolves once records are delivered. */
  async start(): Promise<void> {
    await this.consumer.start({
      room: (aheadMs) => this.#room(aheadMs),
      onRecords: (records) => this.#onRecords(records),
      onUnreadable: (position, reason) => this.#onUnreadable(position, reason),
      onLost: (records) => this.parts.metrics.lostLocks.inc({ model: this.options.model }, records),
      onCrash: (error) => this.options.onStopped(error),
    });
    void this.#followLag();
  }

  /** Partitions that this node reads with others, each with its lag, except for records that this node holds. */
  get owned(): readonly (TopicPartition & { readonly lagRecords: number })[] {
    const held = this.#taken.size;
    return this.#lagging.map(({ lagRecords, ...at }) => ({
      ...at,
      lagRecords: Math.max(0, lagRecords - held),
    }));
  }

  get #lagging(): (TopicPartition & { readonly lagRecords: number })[] {
    const lags = new Map(this.#lags.map(({ partition, lag }) => [partition, lag]));
    return this.consumer.assigned.map(({ topic, partition }) => ({
      topic,
      partition,
      lagRecords: lags.get(partition) ?? 0,
    }));
  }

  #room(aheadMs: number): number {
    return this.#ending.signal.aborted || this.#isFull() ? 0 : this.parts.capacity(aheadMs);
  }

  /** Returns true at the node's limits, and asks again once there is room: other models may make it. */
  #isFull(): boolean {
    if (this.#isWaiting) return true;
    const below = this.parts.inFlight.whenBelowLimit();
    if (!below) return false;
    this.#isWaiting = true;
    void below.then(() => {
      this.#isWaiting = false;
      this.consumer.wake();
    });
    return true;
  }

  /** Returns a promise at the node's limits: the rest of a fetch may be larger than it looks, if it is compressed. */
  #onRecords(records: readonly SharedRecord[]): Promise<void> | undefined {
    const arrivedAt = performance.now();
    for (const delivered of records) this.#take(delivered, arrivedAt);
    return this.parts.inFlight.whenBelowLimit();
  }

  #take({ record, deliveries }: SharedRecord, arrivedAt: number): void {
    if (this.#ending.signal.aborted) return this.consumer.acknowledge(record, 'release');
    // Its lock was lost here and taken again; the outcome of the earlier delivery ends this one.
    if (this.#taken.has(keyOf(record))) return;
    const entry = this.#enter(record, deliveries);
    const decodable = this.handler.whenDecodable(record);
    if (!decodable) return this.#accept(entry, arrivedAt);
    decodable.then(
      () => this.#accept(entry, arrivedAt),
      (error: unknown) => this.options.onStopped(error as Error),
    );
  }

  #enter(record: KafkaRecord, deliveries: number): QueuedRecord {
    const entry = { record, bytes: heldBytes(record), deliveries };
    this.#taken.set(keyOf(record), entry);
    this.parts.inFlight.enter(entry.bytes);
    return entry;
  }

  #accept(entry: QueuedRecord, arrivedAt: number): void {
    const { deliveryLimit } = this.options;
    if (entry.deliveries < lastResortDelivery(deliveryLimit)) return this.#flow.accept(entry, arrivedAt);
    this.#flow.refuse(entry, deliveredTooOften(entry.deliveries, deliveryLimit));
  }

  /** Publishes one dead letter, without a value, for records that cannot be read. */
  #onUnreadable(position: UnreadableRecords, reason: string): Promise<void> {
    const { record, error } = unreadableRecord(position, reason, this.options.now());
    return new Promise((resolve) => {
      const entry = { record, bytes: 0, deliveries: 1 };
      const outcome = this.handler.deadLetter(record, 'decode', error);
      this.#flow.publish(entry, outcome, this.#lease, resolve);
    });
  }

  #publish(entry: QueuedRecord, outcome: O): void {
    const how = outcome.kind === 'dead-letter' ? 'reject' : 'accept';
    // The engine may be idle from now on.
    this.consumer.wake();
    this.#flow.publish(entry, outcome, this.#lease, () => {
      this.consumer.acknowledge(entry.record, how);
      this.#leave(entry);
    });
  }

  #leave(entry: QueuedRecord): void {
    this.#taken.delete(keyOf(entry.record));
    this.parts.inFlight.leave(entry.bytes);
    if (this.#taken.size === 0) this.#drained();
  }

  async #followLag(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      this.#lags = await this.parts.readLag().catch(() => this.#lags);
      for (const { topic, partition, lagRecords } of signal.aborted ? [] : this.#lagging)
        this.parts.metrics.lagRecords.set({ topic, partition: String(partition) }, lagRecords);
      // The room may have grown with what other nodes report.
      this.consumer.wake();
      await sleep(LAG_INTERVAL_MS, signal);
    }
  }

  /** Takes nothing more, finishes the work in flight, releases what is left and leaves the group. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { drainTimeoutMs, model } = this.options;
    const { log, metrics, inFlight } = this.parts;
    this.#ending.abort();
    const drained = new Promise<void>((resolve) => (this.#drained = resolve));
    const late = (): Error => new Error(`work in flight did not finish within ${drainTimeoutMs} ms`);
    if (this.#taken.size > 0)
      await within(drainTimeoutMs, drained, late).catch((error: unknown) => {
        const pending = this.#taken.size;
        log.warn(
          { model, pending, err: error },
          'drain timed out; releasing the work in flight to other nodes',
        );
      });
    const { owned } = this;
    await this.consumer.close();
    for (const { topic, partition } of owned)
      metrics.lagRecords.remove({ topic, partition: String(partition) });
    inFlight.end();
  }
}

function keyOf({ partition, offset }: KafkaRecord): string {
  return `${partition}/${offset}`;
}

/** A share group commits nothing and names no generation. */
function leaseOf(group: string): PartitionLease {
  const member: GroupMembership = { group, memberId: '', generation: -1 };
  return { revoked: false, member, markOf: () => '' };
}

function deliveredTooOften(deliveries: number, limit: number): PartituraError {
  return new PartituraError(
    'MODEL_CRASHED',
    `delivered ${deliveries} times, and its nodes ended or released it without an outcome; the broker archives it after ${limit}`,
  );
}
