import { sleep } from '../../core/time.js';
import type { Logger } from '../../core/log.js';
import type { KafkaError, ConsumerHandlers } from '../port.js';
import type { Cluster, TopicMetadata } from './transport/cluster.js';
import type { Connections } from './transport/connections.js';
import { toKafkaError } from './transport/errors.js';
import { fetchRequest, type FetchedPartition } from './protocol/fetch.js';
import { nextFetchWait, type FetchWait, type RecentFetch } from './fetch-wait.js';
import { FetchGate } from './fetch-gate.js';
import { PartitionDelivery } from './partition-delivery.js';
import { fetchable, PartitionSources, type Asked, type Source } from './partition-sources.js';
import { recoverPosition } from './recover-position.js';
import type { ReadLimits } from '../record-batches/read-limits.js';
import { retryDelayMs } from '../errors/retry-delay.js';

/** Timeout on top of the broker's long-polling limit. */
const ANSWER_LIMIT_MS = 15_000;
/** Time until partitions added to a topic are noticed. */
const METADATA_MAX_AGE_MS = 30_000;
/** Time before a new leader is looked up for a partition that has none. */
const WATCH_MS = 250;
const MAX_BYTES_PER_PARTITION = 1024 * 1024;

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

/**
 * Reads partitions of one topic from their leaders, with one request at a time per broker, over separate connections:
 * a long-polling fetch must not delay commits. Records are delivered one partition at a time; a promise returned by
 * the handler delays everything else.
 */
export class Fetcher {
  readonly #sources = new PartitionSources();
  /** Brokers with a fetch loop: one for each that leads a partition. */
  readonly #loops = new Set<number>();
  readonly #closing = new AbortController();
  readonly #gate: FetchGate;
  readonly #delivery: PartitionDelivery;
  readonly #connections: Connections;
  #topicId = '';
  #turn = 0;
  #refreshing = false;

  constructor(
    readonly cluster: Cluster,
    readonly options: FetcherOptions,
    readonly handlers: FetcherHandlers,
    readonly log: Logger,
  ) {
    this.#gate = new FetchGate(this.#closing.signal, (error) => this.#crash(toKafkaError(error)));
    const parts = { sources: this.#sources, gate: this.#gate, handlers, log };
    this.#delivery = new PartitionDelivery(options, parts);
    this.#connections = cluster.newConnections();
    this.#watch().catch((error: unknown) => this.#crash(toKafkaError(error)));
  }

  /** Starts reading these partitions from their positions. */
  add(topic: TopicMetadata, positions: ReadonlyMap<number, number>): void {
    this.#recognize(topic);
    this.#sources.add(positions);
    this.#locate(topic);
  }

  /** Stops reading these partitions at once; records in flight are not delivered. */
  drop(partitions: Iterable<number>): void {
    for (const partition of partitions) {
      this.#sources.drop(partition);
      this.cluster.outage.worked(partition);
      this.cluster.outage.worked(leaderOf(partition));
    }
  }

  pause(partitions: readonly number[], paused: boolean): void {
    this.#sources.pause(partitions, paused);
    if (!paused) this.#gate.wake();
  }

  /** Stops delivery and fetching until the promise settles or the fetcher is closed. */
  pauseUntil(until: Promise<unknown>): void {
    this.#gate.holdUntil(until);
  }

  close(): void {
    this.#closing.abort();
    this.#connections.close();
    this.#sources.clear();
    this.#gate.wake();
  }

  /** Applies new metadata and starts a loop for every leader. */
  #locate(topic: TopicMetadata): void {
    this.#recognize(topic);
    for (const source of this.#sources) {
      source.leader = topic.leaders[source.partition];
      this.#noteLeader(topic.name, source);
    }
    for (const { leader } of this.#sources) if (leader !== undefined) this.#startLoop(leader);
    this.#gate.wake();
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
    this.#sources.rewind();
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
      attempts = this.#sources.isLeaderless ? attempts + 1 : 0;
      if (attempts === 0 && performance.now() < nextAt) continue;
      await this.#locateAgain();
      nextAt = performance.now() + METADATA_MAX_AGE_MS;
    }
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
      await this.#gate.released();
      const led = this.#sources.ledBy(leader);
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
    const asked = fetchable(led, performance.now());
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
    if (until === Infinity) await this.#gate.changed;
    else await Promise.race([this.#gate.changed, sleep(until - performance.now(), this.#closing.signal)]);
  }

  async #recover(leader: number, error: KafkaError, failuresBefore: number): Promise<void> {
    if (this.#closing.signal.aborted) return;
    if (!error.retriable) throw error;
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
      if (this.#gate.isHeld) await this.#gate.released();
      const source = this.#sources.unchanged(part.partition, asked);
      if (!source) continue;
      try {
        if (part.error !== undefined) await recoverPosition(this, source, part.error);
        else records += await this.#delivery.deliver(source, part);
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
    if (!error.retriable) throw error;
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

  async #locateAgain(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    try {
      this.#locate(await this.cluster.refresh(this.options.topic));
    } catch (cause) {
      const error = toKafkaError(cause);
      if (!error.retriable && error.kind !== 'unknown-topic') throw error;
    }
  }
}

/** Parts of a fetcher that can fail independently in an outage; partitions by number. */
const fetchFrom = (broker: number): string => `broker ${broker}`;
const leaderOf = (partition: number): string => `leader ${partition}`;

/** Rotates a list, so that the partition left out of a full response changes each time. */
function rotated<T>(list: readonly T[], by: number): T[] {
  const cut = by % list.length;
  return [...list.slice(cut), ...list.slice(0, cut)];
}
