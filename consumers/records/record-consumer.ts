import { VALUE_DROPPED } from '../../schemas/headers/headers.js';
import { heldBytes } from '../../kafka/sending/record-bytes.js';
import type {
  CommittedPosition,
  KafkaConsumer,
  KafkaError,
  KafkaRecord,
  TopicPartition,
  UnreadableRecords,
} from '../../kafka/port.js';
import type { Logger } from '../../core/log.js';
import { within } from '../../core/time.js';
import { PartituraError } from '../../schemas/errors.js';
import { SchemaBarrier } from './schema-barrier.js';
import type { Answer } from '../batching/batch.js';
import { Committer } from './committer.js';
import type { CrashCount } from './crash-count.js';
import type { AnyOutcome, RecordHandler, Work } from './record-handler.js';
import type { InFlightShare } from './in-flight.js';
import { PartitionLedger } from './ledger.js';
import type { NodeMetrics } from './metrics.js';
import {
  RecordJob,
  type InFlightRecord,
  type RecordEntry,
  type JobOwner,
  type OwnedPartition,
} from './record-job.js';
import type { RecordSpans } from './record-spans.js';

/** Records of one partition that may wait, done with, for one before them: its place is committed only with it. */
const MAX_LEDGER_ENTRIES = 250_000;

export interface RecordConsumerOptions {
  readonly model: string;
  readonly group: string;
  readonly ordered: boolean;
  readonly commitIntervalMs: number;
  readonly drainTimeoutMs: number;
  /** Whether offsets are committed together with the outcomes, by whoever publishes those. */
  readonly commitsWithOutcomes?: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** These records are no longer consumed and won't be again by themselves. */
  onStopped(error: Error): void;
}

/** What a consumer takes of its node. */
export interface ConsumerParts {
  /** This consumer's share of the node's bounds. */
  readonly inFlight: InFlightShare;
  /** Committed positions of the group in the topic. */
  readonly readPositions: () => Promise<readonly CommittedPosition[]>;
  readonly metrics: NodeMetrics;
  readonly spans: RecordSpans;
  readonly log: Logger;
}

/**
 * Follows every record of one topic from the fetch to the committed offset:
 * arrival → decision → batcher → outcome → ledger → publisher → acknowledgement → commit.
 */
export class RecordConsumer<W extends Work, O extends AnyOutcome> {
  readonly #partitions = new Map<number, OwnedPartition<O>>();
  readonly #arrivals = new SchemaBarrier({
    whenDecodable: (record) => this.handling.whenDecodable(record),
    accept: (record, arrivedAt) => this.#take(record, arrivedAt),
    whenBelowLimit: () => this.parts.inFlight.whenBelowLimit(),
    pause: (partition) => this.consumer.pause([partition]),
    resume: (partition) => this.consumer.resume([partition]),
    onStopped: (error) => this.options.onStopped(error),
  });
  readonly #jobs: JobOwner<W, O> = {
    answered: (job, answer) => this.#answered(job, answer),
    failed: (job, cause) => this.#failed(job, cause),
  };
  readonly #committer: Committer;
  #drainWaiters: (() => void)[] = [];
  #closing: Promise<void> | undefined;
  /** What fetches are held back by from the beginning of the end on. */
  #closed: Promise<void> | undefined;
  #releaseClosed: () => void = () => undefined;
  #ledgerWaiters: (() => void)[] = [];

  constructor(
    readonly consumer: KafkaConsumer,
    readonly handling: RecordHandler<W, O>,
    readonly options: RecordConsumerOptions,
    readonly parts: ConsumerParts,
  ) {
    const { model, commitIntervalMs, drainTimeoutMs, commitsWithOutcomes = false } = options;
    this.#committer = new Committer(
      { model, commitIntervalMs, commitsWithOutcomes, releaseTimeoutMs: drainTimeoutMs },
      {
        consumer,
        readPositions: parts.readPositions,
        owned: () => this.#partitions.values(),
        log: parts.log,
        now: options.now,
      },
    );
  }

  /** Joins the group; resolves with the first assignment. */
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

  get owned(): readonly TopicPartition[] {
    return [...this.#partitions.values()];
  }

  #onAssigned(partitions: readonly TopicPartition[]): void {
    this.#committer.reassigned();
    for (const assigned of partitions) {
      this.#lose(assigned.partition);
      this.#own(assigned);
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
    if (this.#partitions.has(last.partition)) this.#arrivals.deliver(last, records);
    this.#observeLag(last, highWatermark);
    return this.#room(last.partition);
  }

  /** A promise while there is no room for more: within the node's bounds, and in the partition's ledger. */
  #room(partition: number): Promise<void> | undefined {
    if ((this.#partitions.get(partition)?.ledger.pending ?? 0) < MAX_LEDGER_ENTRIES)
      return this.parts.inFlight.whenBelowLimit();
    return new Promise((resolve) => this.#ledgerWaiters.push(resolve));
  }

  #onUnreadable(position: UnreadableRecords, reason: string): void | Promise<void> {
    if (this.#closed) return this.#closed;
    const opening = this.#opening(position, Infinity);
    if (opening) return opening.then(() => this.#onUnreadable(position, reason));
    this.#arrivals.deliver(position, [() => this.#putAside(position, reason)]);
    return this.#room(position.partition);
  }

  /** Undefined when the partition of a first arrival is open or lost; else a promise that it is. */
  #opening(
    { partition: number, offset }: Pick<KafkaRecord, 'partition' | 'offset'>,
    endOffset: number,
  ): Promise<void> | undefined {
    const partition = this.#partitions.get(number);
    if (!partition || partition.crashes) return undefined;
    partition.opening ??= this.#committer.open(partition, offset, endOffset);
    return partition.opening;
  }

  /** What stood there can't be answered, but it must not be lost unsaid: one dead letter without value for all of it. */
  #putAside(position: UnreadableRecords, reason: string): void {
    const { topic, partition: number, offset, lastOffset } = position;
    const record = {
      topic,
      partition: number,
      offset: lastOffset,
      key: null,
      value: null,
      headers: { [VALUE_DROPPED]: Buffer.from(`offsets ${offset} to ${lastOffset} can't be read`) },
      timestamp: this.options.now(),
    };
    const partition = this.#current(record);
    const bytes = heldBytes(record);
    const entry = partition?.ledger.open(lastOffset, { record, bytes, partition });
    if (!entry) return;
    this.parts.inFlight.enter(bytes);
    const error = new PartituraError(
      'DECODE_FAILED',
      `offsets ${offset} to ${lastOffset} can't be read: ${reason}`,
    );
    this.#finish(entry, this.handling.deadLetter(record, 'decode', error));
  }

  #observeLag({ topic, partition, offset }: KafkaRecord, highWatermark: number): void {
    this.parts.metrics.lagRecords.set({ topic, partition: String(partition) }, highWatermark - offset - 1);
  }

  #take(record: KafkaRecord, arrivedAt: number): void {
    const partition = this.#current(record);
    if (!partition) return;
    const bytes = heldBytes(record);
    const entry = partition.ledger.open(record.offset, { record, bytes, partition });
    if (!entry) return;
    this.parts.inFlight.enter(bytes);
    this.parts.spans.begin(record, this.options.group, this.options.model);
    const decision = this.#decide(record);
    if (isOutcome(decision)) this.#finish(entry, decision);
    else this.#compute(new RecordJob(entry, decision, arrivedAt, this.#jobs));
    if (partition.crashes?.needsMark(record.offset)) void this.#committer.commit();
  }

  /** Suspects of a crash are computed apart, where they cannot take the node with them. */
  #compute(job: RecordJob<W, O>): void {
    const { batcher, suspects } = job.work.version;
    const { offset, subject } = job.entry;
    if (this.#committer.isIsolated || subject.partition.crashes?.isSuspect(offset)) suspects.submit(job);
    else batcher.submit(job);
  }

  /** The partition of a record, begun anew when the record lies before all that it knows: rather twice than never. */
  #current({ topic, partition: number, offset }: KafkaRecord): OwnedPartition<O> | undefined {
    const partition = this.#partitions.get(number);
    if (!partition?.ledger.isRewound(offset)) return partition;
    this.parts.log.warn(
      { topic, partition: number, offset },
      'the partition is read again from an earlier position',
    );
    this.#lose(number);
    return this.#own({ topic, partition: number }, partition.crashes);
  }

  #own({ topic, partition }: TopicPartition, crashes?: CrashCount): OwnedPartition<O> {
    const owned: OwnedPartition<O> = {
      topic,
      partition,
      ledger: new PartitionLedger<InFlightRecord<O>, O>(this.options.ordered),
      revoked: false,
      member: this.consumer.membership(),
      crashes,
      opening: undefined,
      markOf: (position) => this.#committer.markOf(owned, position),
    };
    this.#partitions.set(partition, owned);
    return owned;
  }

  /** Whatever goes wrong here, the record must have an outcome: without one its partition would stand still. */
  #decide(record: KafkaRecord): W | O {
    try {
      return this.handling.decide(record);
    } catch (cause) {
      this.parts.log.error(
        { err: cause, topic: record.topic, partition: record.partition, offset: record.offset },
        'a record could not be judged',
      );
      return this.handling.deadLetter(record, 'validate', PartituraError.from(cause));
    }
  }

  #answered({ entry, work, arrivedAt }: RecordJob<W, O>, answer: Answer): void {
    this.parts.spans.answered(entry.subject.record, answer, arrivedAt);
    this.parts.metrics.queueSeconds.observe({ model: this.options.model }, answer.queueMs / 1_000);
    const bytes = answerBytes(answer);
    entry.subject.bytes += bytes;
    this.parts.inFlight.grow(bytes);
    this.#finish(entry, this.handling.answered(entry.subject.record, work, answer));
  }

  #failed({ entry, work }: RecordJob<W, O>, cause: unknown): void {
    if (cause instanceof PartituraError && cause.code === 'MODEL_CRASHED') this.#committer.isolate();
    this.#finish(entry, this.handling.failed(entry.subject.record, work, cause));
  }

  /** Settles the record, once it is known whether its outcome can be delivered. */
  #finish(entry: RecordEntry<O>, outcome: O): void {
    const deliverable = this.handling.ensureDeliverable(outcome);
    if (!(deliverable instanceof Promise)) return this.#settle(entry, deliverable);
    deliverable.then(
      (found) => this.#settle(entry, found),
      (error: unknown) => this.options.onStopped(error as KafkaError),
    );
  }

  #settle(entry: RecordEntry<O>, outcome: O): void {
    const { partition } = entry.subject;
    if (partition.revoked) return this.#leave(entry.subject);
    for (const released of partition.ledger.settle(entry, outcome, this.handling.overtakes(outcome)))
      this.#publish(released);
  }

  #publish(entry: RecordEntry<O>): void {
    const held = entry.subject;
    if (!entry.outcome) return;
    const outcome = this.handling.released(entry.outcome);
    this.#count(outcome);
    const acknowledged = (): void => {
      this.parts.spans.end(held.record, this.handling.outcomeName(outcome));
      held.partition.ledger.acknowledge(entry);
      this.#leave(held);
      // Each suspect by itself: should this owner die as well, its successor begins at the record that did it.
      if (held.partition.crashes?.isSuspect(entry.offset)) void this.#committer.commit();
    };
    this.handling.publish(outcome, acknowledged, held.partition);
  }

  #leave({ bytes, partition }: InFlightRecord<O>): void {
    this.parts.inFlight.leave(bytes);
    if (this.#ledgerWaiters.length > 0 && partition.ledger.pending < MAX_LEDGER_ENTRIES / 2)
      this.#resumeLedgers();
    if (this.#drainWaiters.length > 0 && this.#pending() === 0)
      for (const resolve of this.#drainWaiters.splice(0)) resolve();
  }

  #resumeLedgers(): void {
    for (const resolve of this.#ledgerWaiters.splice(0)) resolve();
  }

  #count(outcome: O): void {
    this.parts.metrics.requests.inc({
      model: this.options.model,
      outcome: this.handling.outcomeName(outcome),
    });
  }

  #pending(): number {
    let pending = 0;
    for (const { ledger } of this.#partitions.values()) pending += ledger.pending;
    return pending;
  }

  #drained(): Promise<void> {
    if (this.#pending() === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drainWaiters.push(resolve));
  }

  async #onRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#drainAndRelease(partitions);
    for (const { partition } of partitions) this.#lose(partition);
  }

  #lose(number: number): void {
    const partition = this.#partitions.get(number);
    if (!partition) return;
    partition.revoked = true;
    this.#resumeLedgers();
    this.#arrivals.drop(number);
    this.#partitions.delete(number);
    for (const { subject } of partition.ledger.abandon()) this.parts.inFlight.leave(subject.bytes);
    this.parts.metrics.lagRecords.remove({ topic: partition.topic, partition: String(number) });
  }

  async #drainAndRelease(partitions: readonly TopicPartition[]): Promise<void> {
    const { drainTimeoutMs, model } = this.options;
    try {
      await within(
        drainTimeoutMs,
        this.#drained(),
        () => new Error(`work under way did not finish within ${drainTimeoutMs} ms`),
      );
    } catch (error) {
      this.parts.log.warn(
        { model, pending: this.#pending(), err: error },
        'partitions are given up with work under way; their next owner answers it',
      );
    }
    await this.#committer.release(partitions);
  }

  /** Takes nothing more, finishes what is under way, commits it and leaves the group. */
  close(): Promise<void> {
    this.#closing ??= this.#close(() => this.#drainAndRelease(this.owned));
    return this.#closing;
  }

  /** Commits what is done and leaves the group at once; what is under way is done again by the partitions' next owners. */
  abandon(): Promise<void> {
    this.#closing ??= this.#close(() => this.#committer.release(this.owned));
    return this.#closing;
  }

  async #close(finish: () => Promise<void>): Promise<void> {
    this.#closed = new Promise((resolve) => (this.#releaseClosed = resolve));
    this.#committer.stopOpening();
    for (const number of this.#partitions.keys()) this.#arrivals.drop(number);
    await finish();
    this.#committer.close();
    const closing = this.consumer.close();
    this.#releaseClosed();
    await within(
      this.options.drainTimeoutMs,
      closing,
      () => new Error('the consumer did not close in time'),
    ).catch((error: unknown) => {
      this.parts.log.warn({ model: this.options.model, err: error }, 'consumer closed with an error');
    });
    for (const partition of [...this.#partitions.keys()]) this.#lose(partition);
    this.parts.inFlight.end();
  }
}

function answerBytes({ outputs }: Answer): number {
  let bytes = 0;
  for (const { data } of outputs) bytes += data.byteLength;
  return bytes;
}

function isOutcome<W extends Work, O extends AnyOutcome>(decision: W | O): decision is O {
  return 'kind' in decision;
}
