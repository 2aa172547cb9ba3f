import { backoffMs, sleep, type Backoff } from '../../core/time.js';
import { Fifo } from '../../core/fifo.js';
import { recordBytes } from './record-bytes.js';
import type { OutageLink } from '../errors/outages.js';
import { KafkaError, type KafkaProducer, type OutgoingRecord } from '../port.js';

/**
 * Called exactly once, with the result of sending one record. Callbacks rather than promises: this is the hot path.
 */
export interface Delivery {
  /** Called when the record's turn comes; false drops it, and neither of the others is called. */
  begins?(): boolean;
  delivered(): void;
  failed(error: KafkaError): void;
}

export interface OutboxOptions {
  readonly maxBatchRecords: number;
  readonly maxBatchBytes: number;
  /**
   * Time limit for retries while the broker is unavailable; Infinity: until it is back or the outbox is closed.
   */
  readonly retryLimitMs: number;
  /** Time for which a batch under load waits for further records, milliseconds; 0: none. */
  readonly gatherMs: number;
  /** Notified of failures and recovery. */
  readonly outage?: OutageLink;
}

export const OUTBOX_DEFAULTS: OutboxOptions = {
  maxBatchRecords: 1_000,
  maxBatchBytes: 1_000_000,
  retryLimitMs: 120_000,
  gatherMs: 0,
};

/** Records in a batch above which there are enough callers for more to arrive soon. */
const MIN_RECORDS_TO_GATHER = 8;
/** Larger batches bring little further gain. */
const ENOUGH_RECORDS = 64;
const BACKOFF: Backoff = { firstMs: 100, maxMs: 2_000 };
/**
 * Time during which an error that may be caused by a record is attributed to the broker. An exception in the broker
 * usually stems from its own state, is temporary and must not turn good records into dead letters; but a record that
 * always causes one must not block all later ones. Retries therefore last as long as a broker restart takes, and
 * after that only records that are refused individually are given up.
 */
const SUSPECT_AFTER_MS = 60_000;

/** Times after which a send is no longer retried the same way. */
interface Limits {
  readonly giveUpAt: number;
  /** Time after which records, not the broker, are suspected; undefined if no record may be at fault. */
  readonly suspectAt?: number | undefined;
}

/** Collaborators of an outbox beside its producer; each has a default. */
export interface OutboxParts {
  /** The current time, in milliseconds since the epoch. */
  readonly now?: () => number;
  /** Returns the unusable ones among these topics; called when a send to one of them fails. */
  readonly missingOf?: (topics: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Rejects for a record that the broker would refuse; undefined if no check is needed. */
  readonly fits?: (record: OutgoingRecord) => Promise<void> | undefined;
}

const DEFAULT_PARTS: Required<OutboxParts> = {
  now: Date.now,
  missingOf: () => Promise.resolve(new Set()),
  fits: () => undefined,
};

interface PendingRecord {
  readonly record: OutgoingRecord;
  readonly bytes: number;
  readonly delivery: Delivery;
}

/**
 * Records on their way to the broker, in order: one produce request is in flight at a time, and records pushed
 * meanwhile go into the next. Under low load nothing waits; under high load batches grow. The caller bounds the
 * number of bytes in here.
 *
 * A refused record fails alone: a refused batch is split in halves until the record is found.
 */
export class Outbox {
  readonly #queue = new Fifo<PendingRecord>();
  #sending: Promise<void> | undefined;
  #bytes = 0;
  /** Number of records in the last batch. */
  #lastRecords = 0;
  #waiting: { readonly below: number; readonly resolve: () => void }[] = [];
  readonly #closing = new AbortController();
  readonly #parts: Required<OutboxParts>;

  constructor(
    readonly producer: KafkaProducer,
    readonly options: OutboxOptions = OUTBOX_DEFAULTS,
    parts: OutboxParts = {},
  ) {
    this.#parts = { ...DEFAULT_PARTS, ...parts };
  }

  push(record: OutgoingRecord, delivery: Delivery): void {
    if (this.#closing.signal.aborted) return delivery.failed(new KafkaError('unavailable', 'closed'));
    const bytes = recordBytes(record);
    this.#queue.push({ record, bytes, delivery });
    this.#bytes += bytes;
    this.#sending ??= this.#run();
  }

  /** Returns a promise that resolves once fewer than `maxBytes` are queued; undefined if that is the case now. */
  whenBelowLimit(maxBytes: number): Promise<void> | undefined {
    if (this.#bytes < maxBytes) return undefined;
    return new Promise((resolve) => this.#waiting.push({ below: maxBytes, resolve }));
  }

  /** Resolves when every pushed record is delivered or has failed. */
  async settled(): Promise<void> {
    while (this.#sending) await this.#sending;
  }

  /** Fails undelivered records once the request in flight has ended. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.settled();
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#queue.length > 0) {
      if (this.#shouldGather()) await sleep(this.options.gatherMs, this.#closing.signal);
      const pending = this.#take();
      this.#lastRecords = pending.length;
      if (pending.length === 0) break;
      if (this.#closing.signal.aborted) fail(pending, new KafkaError('unavailable', 'closed'));
      else await this.#send(pending, { giveUpAt: this.#parts.now() + this.options.retryLimitMs });
      this.#release(pending);
    }
    this.#sending = undefined;
  }

  /** Under load, small batches would cost broker and node a request each, which delays everybody. */
  #shouldGather(): boolean {
    if (this.options.gatherMs === 0) return false;
    return this.#lastRecords >= MIN_RECORDS_TO_GATHER && this.#queue.length < ENOUGH_RECORDS;
  }

  #release(pending: readonly PendingRecord[]): void {
    for (const { bytes } of pending) this.#bytes -= bytes;
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
      if (taken.length === maxBatchRecords || (taken.length > 0 && bytes + next.bytes > maxBatchBytes)) break;
      this.#queue.shift();
      if (next.delivery.begins?.() === false) {
        this.#release([next]);
        continue;
      }
      bytes += next.bytes;
      taken.push(next);
    }
    return taken;
  }

  async #send(pending: readonly PendingRecord[], limits: Limits): Promise<void> {
    const { giveUpAt } = limits;
    let { suspectAt } = limits;
    for (let attempt = 1; ; attempt++) {
      try {
        for (const { record } of pending) {
          const fits = this.#parts.fits(record);
          if (fits) await fits;
        }
        if (pending.length > 0) await this.producer.send(pending.map(({ record }) => record));
        this.options.outage?.worked();
        break;
      } catch (cause) {
        const error = cause instanceof KafkaError ? cause : new KafkaError('other', String(cause), { cause });
        if (!canResend(error)) this.options.outage?.worked();
        if (error.kind === 'unauthenticated') return fail(pending, error);
        if (!canResend(error)) return this.#isolate(pending, error, limits);
        suspectAt = error.mayBeOfRecord ? (suspectAt ?? this.#parts.now() + SUSPECT_AFTER_MS) : undefined;
        if (suspectAt !== undefined && this.#parts.now() >= suspectAt)
          return this.#isolate(pending, asRecordError(error), { giveUpAt, suspectAt });
        if (error.kind === 'unavailable' && this.#parts.now() < giveUpAt && !this.#closing.signal.aborted) {
          const left = await this.#withoutUnusable(pending, error);
          if (left.length < pending.length) return this.#send(left, limits);
        }
        if (this.#parts.now() >= giveUpAt || this.#closing.signal.aborted) return fail(pending, error);
        this.options.outage?.failed(error);
        await sleep(backoffMs(BACKOFF, attempt), this.#closing.signal);
      }
    }
    for (const { delivery } of pending) delivery.delivered();
  }

  /** Sets apart topics without leaders: they fail like an unavailable cluster, but must not block other topics. */
  async #withoutUnusable(
    pending: readonly PendingRecord[],
    error: KafkaError,
  ): Promise<readonly PendingRecord[]> {
    const unusable = await this.#missing([...new Set(pending.map(({ record }) => record.topic))]);
    if (unusable.size === 0) return pending;
    const refusal = new KafkaError('other', error.message, { cause: error });
    fail(
      pending.filter(({ record }) => unusable.has(record.topic)),
      refusal,
    );
    return pending.filter(({ record }) => !unusable.has(record.topic));
  }

  async #isolate(pending: readonly PendingRecord[], error: KafkaError, limits: Limits): Promise<void> {
    if (pending.length === 1) return fail(pending, error);
    const topics = [...new Set(pending.map(({ record }) => record.topic))];
    if (topics.length === 1 && isAboutTopic(error)) return fail(pending, error);
    if (topics.length > 1) return this.#sendByTopic(pending, topics, error, limits);
    const middle = Math.ceil(pending.length / 2);
    await this.#send(pending.slice(0, middle), limits);
    await this.#send(pending.slice(middle), limits);
  }

  /**
   * Sends the records of each topic separately, so that one topic's failure does not affect the others; missing
   * topics fail at once.
   */
  async #sendByTopic(
    pending: readonly PendingRecord[],
    topics: readonly string[],
    error: KafkaError,
    limits: Limits,
  ): Promise<void> {
    const missing = error.kind === 'unknown-topic' ? await this.#missing(topics) : new Set<string>();
    for (const topic of topics) {
      const own = pending.filter(({ record }) => record.topic === topic);
      if (missing.has(topic)) fail(own, error);
      else await this.#send(own, limits);
    }
  }

  async #missing(topics: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#parts.missingOf(topics).catch(() => new Set<string>());
  }
}

/** Returns true if every record for the topic would fail the same way. */
function isAboutTopic({ kind }: KafkaError): boolean {
  return kind === 'unknown-topic' || kind === 'not-authorized';
}

/** Attributes the error to the record. */
function asRecordError(error: KafkaError): KafkaError {
  return new KafkaError('other', error.message, { cause: error, mayBeOfRecord: true });
}

/** Returns true if the same records can be sent again; a fenced producer gets a new identity. */
function canResend({ kind, retriable }: KafkaError): boolean {
  return retriable || kind === 'fenced';
}

function fail(pending: readonly PendingRecord[], error: KafkaError): void {
  for (const { delivery } of pending) delivery.failed(error);
}
