import { sleep } from '../../core/time.js';
import type { Logger } from '../../core/log.js';
import { KafkaError, type ConsumerHandlers } from '../port.js';
import { EARLIEST, LATEST, type Cluster, type TopicMetadata } from './transport/cluster.js';
import type { Connections } from './transport/connections.js';
import { brokerError, toKafkaError } from './transport/errors.js';
import { fetchRequest, type FetchedPartition } from './protocol/fetch.js';
import { nextFetchWait, type FetchWait, type RecentFetch } from './fetch-wait.js';
import { deliverChunk } from '../record-batches/deliver-chunk.js';
import { BatchReader, skipUnreadable, UnreadableBatch, type Chunk } from '../record-batches/read-batches.js';
import type { ReadLimits } from '../record-batches/read-limits.js';
import { retryDelayMs } from '../errors/retry-delay.js';
import { Turns } from '../../core/turns.js';

/** Timeout on top of the broker's long-polling limit. */
const ANSWER_LIMIT_MS = 15_000;
/** Time until partitions added to a topic are noticed. */
const METADATA_MAX_AGE_MS = 30_000;
/** Time before a new leader is looked up for a partition that has none. */
const WATCH_MS = 250;
const MAX_BYTES_PER_PARTITION = 1024 * 1024;
/** Attempts to fetch a corrupted batch: the corruption may be in transit, not in the log. */
const TRIES_FOR_DAMAGED = 3;

export interface FetcherOptions {
  readonly topic: string;
  readonly from: 'earliest' | 'latest';
  readonly fetchMaxBytes: number;
  readonly readLimits?: ReadLimits | undefined;
}

export interface FetcherHandlers extends Pick<
  ConsumerHandlers,
  'onRecords' | 'onUnreadable' | 'onPosition' | 'onCrash'
> {
  /** Called after each metadata refresh. */
  onTopic(topic: TopicMetadata): void;
}

/** A partition being read: owned by the fetcher until it is dropped. */
interface Source {
  readonly partition: number;
  /** Offset of the next record to deliver. */
  position: number;
  paused: boolean;
  leader: number | undefined;
  damagedTries: number;
  /** Consecutive failures. */
  failures: number;
  /** End of the backoff, in milliseconds of `performance.now()`. */
  backoffUntil: number;
}

/** A partition and its position at the time of the request. */
interface Asked {
  readonly source: Source;
  readonly position: number;
}

/**
 * Reads partitions of one topic from their leaders, with one request at a time per broker, over separate connections:
 * a long-polling fetch must not delay commits. Records are delivered one partition at a time; a promise returned by
 * the handler delays everything else.
 */
export class Fetcher {
  readonly #sources = new Map<number, Source>();
  /** Brokers with a fetch loop: one for each that leads a partition. */
  readonly #loops = new Set<number>();
  readonly #closing = new AbortController();
  readonly #connections: Connections;
  #topicId = '';
  #turn = 0;
  #refreshing = false;
  /** Number of pending holds: nothing is delivered or fetched while there are any. */
  #holds = 0;
  #resolveAwake: () => void = () => undefined;
  #awake = new Promise<void>((resolve) => (this.#resolveAwake = resolve));

  constructor(
    readonly cluster: Cluster,
    readonly options: FetcherOptions,
    readonly handlers: FetcherHandlers,
    readonly log: Logger,
  ) {
    this.#connections = cluster.newConnections();
    this.#watch().catch((error: unknown) => this.#crash(toKafkaError(error)));
  }

  /** Starts reading these partitions from their positions. */
  add(topic: TopicMetadata, positions: ReadonlyMap<number, number>): void {
    this.#recognize(topic);
    for (const [partition, position] of positions)
      this.#sources.set(partition, {
        partition,
        position,
        paused: false,
        leader: undefined,
        damagedTries: 0,
        failures: 0,
        backoffUntil: 0,
      });
    this.#locate(topic);
  }

  /** Stops reading these partitions at once; records in flight are not delivered. */
  drop(partitions: Iterable<number>): void {
    for (const partition of partitions) {
      this.#sources.delete(partition);
      this.cluster.outage.worked(partition);
      this.cluster.outage.worked(leaderOf(partition));
    }
  }

  pause(partitions: readonly number[], paused: boolean): void {
    for (const partition of partitions) {
      const source = this.#sources.get(partition);
      if (source) source.paused = paused;
    }
    if (!paused) this.#wake();
  }

  close(): void {
    this.#closing.abort();
    this.#connections.close();
    this.#sources.clear();
    this.#wake();
  }

  #wake(): void {
    this.#resolveAwake();
    this.#awake = new Promise((resolve) => (this.#resolveAwake = resolve));
  }

  /** Applies new metadata and starts a loop for every leader. */
  #locate(topic: TopicMetadata): void {
    this.#recognize(topic);
    for (const source of this.#sources.values()) {
      source.leader = topic.leaders[source.partition];
      this.#noteLeader(topic.name, source);
    }
    for (const { leader } of this.#sources.values()) if (leader !== undefined) this.#startLoop(leader);
    this.#wake();
    this.handlers.onTopic(topic);
  }

  #noteLeader(topic: string, { partition, leader }: Source): void {
    const key = leaderOf(partition);
    if (leader === undefined)
      this.cluster.outage.failed(new Error(`${topic} ${partition} has no leader`), key);
    else this.cluster.outage.worked(key);
  }

  /** Starts over if the topic was recreated: all its records are newer than those already read. */
  #recognize({ id }: TopicMetadata): void {
    if (this.#topicId !== '' && this.#topicId !== id) this.#restart();
    this.#topicId = id;
  }

  #restart(): void {
    this.log.warn({ topic: this.options.topic }, 'topic was recreated; reading from the beginning');
    for (const source of this.#sources.values()) source.position = 0;
  }

  /**
   * Refreshes metadata periodically, since partitions may be added; more often while a partition has no leader, since
   * no fetch loop covers it.
   */
  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    let nextAt = performance.now() + METADATA_MAX_AGE_MS;
    for (let attempts = 0; !signal.aborted;) {
      await sleep(attempts > 0 ? retryDelayMs(attempts) : WATCH_MS, signal);
      attempts = this.#isLeaderless ? attempts + 1 : 0;
      if (attempts === 0 && performance.now() < nextAt) continue;
      await this.#locateAgain();
      nextAt = performance.now() + METADATA_MAX_AGE_MS;
    }
  }

  get #isLeaderless(): boolean {
    return [...this.#sources.values()].some(({ leader }) => leader === undefined);
  }

  #startLoop(leader: number): void {
    if (this.#loops.has(leader) || this.#closing.signal.aborted) return;
    this.#loops.add(leader);
    this.#loop(leader).catch((error: unknown) => this.#crash(toKafkaError(error)));
  }

  #crash(error: KafkaError): void {
    if (this.#closing.signal.aborted) return;
    this.close();
    this.handlers.onCrash(error);
  }

  /** Runs until this broker leads no partition. */
  async #loop(leader: number): Promise<void> {
    let recent: RecentFetch | undefined;
    for (let failures = 0; !this.#closing.signal.aborted;) {
      await this.#released();
      const led = [...this.#sources.values()].filter((source) => source.leader === leader);
      if (led.length === 0) break;
      try {
        recent = await this.#round(leader, led, recent);
        failures = 0;
        this.cluster.outage.worked(fetchFrom(leader));
      } catch (cause) {
        await this.#recover(leader, toKafkaError(cause), failures++);
      }
    }
    this.cluster.outage.worked(fetchFrom(leader));
    this.#loops.delete(leader);
  }

  /** Performs one fetch from one broker, including delivery; if all partitions are paused, waits for a change. */
  async #round(
    leader: number,
    led: readonly Source[],
    recent: RecentFetch | undefined,
  ): Promise<RecentFetch | undefined> {
    const now = performance.now();
    const asked = led
      .filter(({ paused, backoffUntil }) => !paused && backoffUntil <= now)
      .map((source) => ({ source, position: source.position }));
    if (asked.length === 0) {
      await this.#rest(led);
      return undefined;
    }
    const wait = nextFetchWait(recent);
    const fetched = await this.#fetch(leader, rotated(asked, this.#turn++), wait);
    return { ...(await this.#deliver(fetched, asked)), minBytes: wait.minBytes };
  }

  /** Waits for a change, or for the end of a partition's backoff. */
  async #rest(led: readonly Source[]): Promise<void> {
    const until = Math.min(...led.map(({ paused, backoffUntil }) => (paused ? Infinity : backoffUntil)));
    if (until === Infinity) await this.#awake;
    else await Promise.race([this.#awake, sleep(until - performance.now(), this.#closing.signal)]);
  }

  async #recover(leader: number, error: KafkaError, failuresBefore: number): Promise<void> {
    if (this.#closing.signal.aborted) return;
    if (!isRetriable(error)) throw error;
    this.cluster.outage.failed(error, fetchFrom(leader));
    await sleep(retryDelayMs(failuresBefore + 1), this.#closing.signal);
    await this.#locateAgain();
  }

  #fetch(leader: number, asked: readonly Asked[], wait: FetchWait): Promise<FetchedPartition[]> {
    const { fetchMaxBytes } = this.options;
    const request = fetchRequest({
      ...wait,
      topicId: this.#topicId,
      positions: asked.map(({ source: { partition }, position }) => ({ partition, position })),
      maxBytes: fetchMaxBytes,
      maxBytesPerPartition: Math.min(fetchMaxBytes, MAX_BYTES_PER_PARTITION),
    });
    return this.#connections.send(this.cluster.broker(leader), request, ANSWER_LIMIT_MS);
  }

  /** Delivers fetched records. @throws KafkaError if a partition has a permanent error */
  async #deliver(
    fetched: readonly FetchedPartition[],
    asked: readonly Asked[],
  ): Promise<Omit<RecentFetch, 'minBytes'>> {
    let records = 0;
    let bytes = 0;
    for (const part of fetched) {
      if (this.#holds > 0) await this.#released();
      const source = this.#currentSource(part.partition, asked);
      if (!source) continue;
      try {
        if (part.error !== undefined) await this.#recoverPosition(source, part.error);
        else records += await this.#handOver(source, part);
        bytes += part.batches?.length ?? 0;
        source.failures = 0;
        this.cluster.outage.worked(source.partition);
      } catch (cause) {
        this.#backOff(source, toKafkaError(cause));
      }
    }
    return { records, bytes };
  }

  /** Delays only the failed partition, so that it does not slow the others of its broker. */
  #backOff(source: Source, error: KafkaError): void {
    if (!isRetriable(error)) throw error;
    source.failures++;
    this.cluster.outage.failed(error, source.partition);
    source.backoffUntil = performance.now() + retryDelayMs(source.failures);
    this.#refreshMetadata();
  }

  /** Looks up leaders again in the background. */
  #refreshMetadata(): void {
    if (this.#refreshing) return;
    this.#refreshing = true;
    void this.#locateAgain()
      .catch((error: unknown) => this.#crash(toKafkaError(error)))
      .finally(() => (this.#refreshing = false));
  }

  /**
   * Returns the source unless it was paused, dropped or moved since the request; such a partition is fetched again.
   */
  #currentSource(partition: number, asked: readonly Asked[]): Source | undefined {
    const source = this.#sources.get(partition);
    const before = asked.find((one) => one.source === source);
    return source && before && !source.paused && before.position === source.position ? source : undefined;
  }

  /** Delivers chunk by chunk, as capacity allows; stops if the partition is paused, dropped or moved. */
  async #handOver(source: Source, part: FetchedPartition): Promise<number> {
    const { partition, position } = source;
    const { topic, readLimits } = this.options;
    if (!part.batches) return 0;
    const reader = new BatchReader(part.batches, { topic, partition }, position, { aborted: part.aborted, limits: readLimits });
    const turns = new Turns();
    let records = 0;
    for (let chunk = this.#read(reader, source, part); chunk; chunk = this.#read(reader, source, part)) {
      records += chunk.records.length;
      const turn = this.#handOverChunk(source, chunk, part.highWatermark) ?? turns.next();
      if (turn) await turn;
      if (!this.#isStillAt(source, chunk.next)) break;
    }
    return records;
  }

  #handOverChunk(source: Source, chunk: Chunk, highWatermark: number): Promise<void> | undefined {
    const { partition } = source;
    const { topic } = this.options;
    source.position = chunk.next;
    if (chunk.unreadable) {
      const { offset, lastOffset, reason } = chunk.unreadable;
      this.log.error(
        { topic, partition, offset, lastOffset, reason },
        'records cannot be read; skipping them',
      );
    }
    const taken = deliverChunk(this.handlers, { topic, partition }, chunk, highWatermark);
    this.handlers.onPosition?.({ partition, offset: chunk.next });
    if (!taken) return undefined;
    this.pauseUntil(taken);
    return this.#released();
  }

  #isStillAt(source: Source, position: number): boolean {
    return this.#sources.get(source.partition) === source && !source.paused && source.position === position;
  }

  #read(reader: BatchReader, source: Source, { highWatermark }: FetchedPartition): Chunk | undefined {
    try {
      const chunk = reader.next();
      source.damagedTries = 0;
      return chunk;
    } catch (cause) {
      if (!(cause instanceof UnreadableBatch)) throw cause;
      if (++source.damagedTries < TRIES_FOR_DAMAGED) throw new KafkaError('unavailable', cause.message);
      source.damagedTries = 0;
      return skipUnreadable(cause, source.position, highWatermark);
    }
  }

  /** Stops delivery and fetching until the promise settles or the fetcher is closed. */
  pauseUntil(until: Promise<unknown>): void {
    this.#holds++;
    until
      .catch((error: unknown) => this.#crash(toKafkaError(error)))
      .finally(() => {
        this.#holds--;
        this.#wake();
      })
      .catch(() => undefined);
  }

  async #released(): Promise<void> {
    while (this.#holds > 0 && !this.#closing.signal.aborted) await this.#awake;
  }

  /** Handles a partition's error. @throws KafkaError if there is no remedy */
  async #recoverPosition(source: Source, name: string): Promise<void> {
    if (name === 'OFFSET_OUT_OF_RANGE') return this.#reset(source);
    throw asRetriable(brokerError(name, `${this.options.topic} ${source.partition}`));
  }

  /** Resets an out-of-range position, as for a new group: its records have expired or the log was truncated. */
  async #reset(source: Source): Promise<void> {
    const { topic, from } = this.options;
    const { partition } = source;
    const timestampSpec = from === 'latest' ? LATEST : EARLIEST;
    const offsets = await this.cluster
      .listOffsets(topic, [partition], timestampSpec)
      .catch((cause: unknown) => {
        throw asRetriable(toKafkaError(cause));
      });
    const position = offsets.get(partition);
    this.log.warn(
      { topic, partition, was: source.position, position },
      'offset out of range; resetting the position',
    );
    if (position === undefined) return;
    source.position = position;
    this.handlers.onPosition?.({ partition, offset: position });
  }

  async #locateAgain(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    try {
      this.#locate(await this.cluster.refresh(this.options.topic));
    } catch (cause) {
      const error = toKafkaError(cause);
      if (!isRetriable(error) && error.kind !== 'unknown-topic') throw error;
    }
  }
}

/** Parts of a fetcher that can fail independently in an outage; partitions by number. */
const fetchFrom = (broker: number): string => `broker ${broker}`;
const leaderOf = (partition: number): string => `leader ${partition}`;

function isRetriable({ kind }: KafkaError): boolean {
  return kind === 'unavailable';
}

/** Makes an unknown topic retriable: it was deleted, or this broker does not know it yet. */
function asRetriable(error: KafkaError): KafkaError {
  return error.kind === 'unknown-topic' ? new KafkaError('unavailable', error.message) : error;
}

/** Rotates a list, so that the partition left out of a full response changes each time. */
function rotated<T>(list: readonly T[], by: number): T[] {
  const cut = by % list.length;
  return [...list.slice(cut), ...list.slice(0, cut)];
}
