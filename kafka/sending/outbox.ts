import { backoffMs, sleep, type Backoff } from '../../core/time.js';
import { Fifo } from '../../core/fifo.js';
import { recordBytes } from './record-bytes.js';
import type { OutageLink } from '../errors/outages.js';
import { KafkaError, type KafkaProducer, type OutgoingRecord } from '../port.js';

/** Told once of a record's fate. Callbacks rather than promises: this is the hot path. */
export interface Delivery {
  delivered(): void;
  failed(error: KafkaError): void;
}

export interface OutboxOptions {
  readonly maxBatchRecords: number;
  readonly maxBatchBytes: number;
  /** How long records are retried while the broker is away; Infinity: until it is back, or this is closed. */
  readonly retryLimitMs: number;
  /** Told while the broker takes nothing. */
  readonly outage?: OutageLink;
}

export const OUTBOX_DEFAULTS: OutboxOptions = {
  maxBatchRecords: 1_000,
  maxBatchBytes: 1_000_000,
  retryLimitMs: 120_000,
};

const BACKOFF: Backoff = { firstMs: 100, maxMs: 2_000 };
/**
 * How long an error that may be a record's fault counts as the broker's. An exception in the broker has mostly to do with
 * its own state, passes, and must not turn good records into dead letters; but a record that causes one every time must
 * not hold up all that come after it. So it is tried for as long as brokers take to be restarted, and only records that
 * are refused alone after that are given up.
 */
const SUSPECT_AFTER_MS = 60_000;

/** Times after which a send is no longer tried in the same way. */
interface Limits {
  readonly giveUpAt: number;
  /** When records began to be suspected; undefined as long as the broker is. */
  readonly suspectAt?: number | undefined;
}

interface PendingRecord {
  readonly record: OutgoingRecord;
  readonly bytes: number;
  readonly delivery: Delivery;
}

/**
 * Records on their way to the broker, in order: one produce request is under way at a time, and all that
 * comes meanwhile goes with the next. So nothing waits when it is quiet, and batches grow by themselves
 * under load. Whoever pushes bounds how much is in here.
 *
 * A record that the broker refuses is told so alone: a refused batch is cut in halves until it is found.
 */
export class Outbox {
  readonly #queue = new Fifo<PendingRecord>();
  #sending: Promise<void> | undefined;
  #bytes = 0;
  #waiting: { readonly below: number; readonly resolve: () => void }[] = [];
  readonly #closing = new AbortController();

  constructor(
    readonly producer: KafkaProducer,
    readonly options: OutboxOptions = OUTBOX_DEFAULTS,
    readonly now: () => number = Date.now,
    /** Those of these topics that cannot be used while the cluster answers: asked when a send fails for one of them. */
    readonly missingOf: (topics: readonly string[]) => Promise<ReadonlySet<string>> = () =>
      Promise.resolve(new Set()),
    /** Fails for a record that the broker would not take; undefined where that need not be found out. */
    readonly fits: (record: OutgoingRecord) => Promise<void> | undefined = () => undefined,
  ) {}

  push(record: OutgoingRecord, delivery: Delivery): void {
    if (this.#closing.signal.aborted) return delivery.failed(new KafkaError('unavailable', 'closed'));
    const bytes = recordBytes(record);
    this.#queue.push({ record, bytes, delivery });
    this.#bytes += bytes;
    this.#sending ??= this.#run();
  }

  /** Undefined while there are fewer than `maxBytes` in here; else a promise that there are again. */
  whenBelowLimit(maxBytes: number): Promise<void> | undefined {
    if (this.#bytes < maxBytes) return undefined;
    return new Promise((resolve) => this.#waiting.push({ below: maxBytes, resolve }));
  }

  /** Resolves when all that was pushed is delivered or has failed. */
  async settled(): Promise<void> {
    while (this.#sending) await this.#sending;
  }

  /** Fails what is not yet delivered, once the request under way has ended. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.settled();
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const parcels = this.#take();
      if (this.#closing.signal.aborted) fail(parcels, new KafkaError('unavailable', 'closed'));
      else await this.#send(parcels, { giveUpAt: this.now() + this.options.retryLimitMs });
      this.#release(parcels);
    }
    this.#sending = undefined;
  }

  #release(parcels: readonly PendingRecord[]): void {
    for (const { bytes } of parcels) this.#bytes -= bytes;
    if (this.#waiting.length === 0) return;
    const served = this.#waiting.filter(({ below }) => this.#bytes < below);
    this.#waiting = this.#waiting.filter(({ below }) => this.#bytes >= below);
    for (const { resolve } of served) resolve();
  }

  #take(): PendingRecord[] {
    const { maxBatchRecords, maxBatchBytes } = this.options;
    const taken: PendingRecord[] = [];
    let bytes = 0;
    for (let next = this.#queue.at(0); next; next = this.#queue.at(0)) {
      bytes += next.bytes;
      if (taken.length === maxBatchRecords || (taken.length > 0 && bytes > maxBatchBytes)) break;
      taken.push(next);
      this.#queue.shift();
    }
    return taken;
  }

  async #send(parcels: readonly PendingRecord[], limits: Limits): Promise<void> {
    const { giveUpAt } = limits;
    let { suspectAt } = limits;
    for (let attempt = 1; ; attempt++) {
      try {
        for (const { record } of parcels) {
          const fits = this.fits(record);
          if (fits) await fits;
        }
        if (parcels.length > 0) await this.producer.send(parcels.map(({ record }) => record));
        this.options.outage?.worked();
        break;
      } catch (cause) {
        const error = cause instanceof KafkaError ? cause : new KafkaError('other', String(cause), { cause });
        if (!isPassing(error)) this.options.outage?.worked();
        if (error.kind === 'unauthenticated') return fail(parcels, error);
        if (!isPassing(error)) return this.#isolate(parcels, error, limits);
        suspectAt = error.mayBeOfRecord ? (suspectAt ?? this.now() + SUSPECT_AFTER_MS) : undefined;
        if (suspectAt !== undefined && this.now() >= suspectAt)
          return this.#isolate(parcels, blaming(error), { giveUpAt, suspectAt });
        if (error.kind === 'unavailable' && this.now() < giveUpAt && !this.#closing.signal.aborted) {
          const left = await this.#withoutUnusable(parcels, error);
          if (left.length < parcels.length) return this.#send(left, limits);
        }
        if (this.now() >= giveUpAt || this.#closing.signal.aborted) return fail(parcels, error);
        this.options.outage?.failed(error);
        await sleep(backoffMs(BACKOFF, attempt), this.#closing.signal);
      }
    }
    for (const { delivery } of parcels) delivery.delivered();
  }

  /** A topic whose partitions have no leader fails like a cluster that is away, and must not hold up the others. */
  async #withoutUnusable(
    parcels: readonly PendingRecord[],
    error: KafkaError,
  ): Promise<readonly PendingRecord[]> {
    const unusable = await this.#missing([...new Set(parcels.map(({ record }) => record.topic))]);
    if (unusable.size === 0) return parcels;
    const refusal = new KafkaError('other', error.message, { cause: error });
    fail(
      parcels.filter(({ record }) => unusable.has(record.topic)),
      refusal,
    );
    return parcels.filter(({ record }) => !unusable.has(record.topic));
  }

  async #isolate(parcels: readonly PendingRecord[], error: KafkaError, limits: Limits): Promise<void> {
    if (parcels.length === 1) return fail(parcels, error);
    const topics = [...new Set(parcels.map(({ record }) => record.topic))];
    if (topics.length === 1 && isAboutTopic(error)) return fail(parcels, error);
    if (topics.length > 1) return this.#sendByTopic(parcels, topics, error, limits);
    const middle = Math.ceil(parcels.length / 2);
    await this.#send(parcels.slice(0, middle), limits);
    await this.#send(parcels.slice(middle), limits);
  }

  /** One topic's trouble is not that of the others: each is sent for itself, those that are gone not at all. */
  async #sendByTopic(
    parcels: readonly PendingRecord[],
    topics: readonly string[],
    error: KafkaError,
    limits: Limits,
  ): Promise<void> {
    const missing = error.kind === 'unknown-topic' ? await this.#missing(topics) : new Set<string>();
    for (const topic of topics) {
      const own = parcels.filter(({ record }) => record.topic === topic);
      if (missing.has(topic)) fail(own, error);
      else await this.#send(own, limits);
    }
  }

  async #missing(topics: readonly string[]): Promise<ReadonlySet<string>> {
    return this.missingOf(topics).catch(() => new Set<string>());
  }
}

/** Tells whether every record for the topic would fail alike. */
function isAboutTopic({ kind }: KafkaError): boolean {
  return kind === 'unknown-topic' || kind === 'not-authorized';
}

/** The same error as the record's own. */
function blaming(error: KafkaError): KafkaError {
  return new KafkaError('other', error.message, { cause: error, mayBeOfRecord: true });
}

function isPassing({ kind }: KafkaError): boolean {
  return kind === 'unavailable' || kind === 'fenced';
}

function fail(parcels: readonly PendingRecord[], error: KafkaError): void {
  for (const { delivery } of parcels) delivery.failed(error);
}
