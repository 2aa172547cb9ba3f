import { sleep } from '../../core/time.js';
import type { Logger } from '../../core/log.js';
import { KafkaError, type ConsumerHandlers } from '../port.js';
import { EARLIEST, LATEST, type Cluster, type TopicMetadata } from './transport/cluster.js';
import type { Connections } from './transport/connections.js';
import { brokerError, toKafkaError } from './transport/errors.js';
import { fetchRequest, type FetchedPartition } from './protocol/fetch.js';
import { nextFetchWait, type FetchWait, type RecentFetch } from './fetch-wait.js';
import { deliverPiece } from '../record-batches/deliver-piece.js';
import { BatchReader, skipping, UnreadableBatch, type Piece } from '../record-batches/read-batches.js';
import type { ReadLimits } from '../record-batches/read-limits.js';
import { retryDelayMs } from '../errors/retry-delay.js';
import { Turns } from '../../core/turns.js';

/** Beyond what the broker may wait. */
const ANSWER_LIMIT_MS = 15_000;
/** How long partitions that were added to a topic may go unnoticed. */
const METADATA_MAX_AGE_MS = 30_000;
/** How long a partition may be without a leader before its next one is looked for. */
const WATCH_MS = 250;
const MAX_BYTES_PER_PARTITION = 1024 * 1024;
/** How often a damaged batch is fetched again: the damage may be of the way, not of the log. */
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
  /** What is known of the topic was asked for anew. */
  onTopic(topic: TopicMetadata): void;
}

/** A partition that is read: owned by the fetcher until it is dropped. */
interface Source {
  readonly partition: number;
  /** Offset of the next record to deliver. */
  position: number;
  paused: boolean;
  leader: number | undefined;
  damagedTries: number;
  /** How often in a row it could not be read. */
  failures: number;
  /** Until when it is left out, in milliseconds of `performance.now()`. */
  leftOutUntil: number;
}

/** A partition as it was when it was asked for. */
interface Asked {
  readonly source: Source;
  readonly position: number;
}

/**
 * Reads partitions of one topic from the brokers that lead them, one request at a time for each broker, over
 * connections of its own: a fetch that waits for data must not hold up commits. Records reach the handler one
 * partition at a time; a promise from it holds back everything else.
 */
export class Fetcher {
  readonly #sources = new Map<number, Source>();
  /** One loop for each broker that leads a partition. */
  readonly #loops = new Set<number>();
  readonly #closing = new AbortController();
  readonly #connections: Connections;
  #topicId = '';
  #turn = 0;
  #looking = false;
  /** How many hold everything back: nothing is delivered and nothing fetched until there are none. */
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

  /** Reads these partitions as well, each from its position. */
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
        leftOutUntil: 0,
      });
    this.#locate(topic);
  }

  /** Stops reading these partitions at once: what is under way is not delivered. */
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

  /** Takes over what is known of the topic, and has a loop for every broker. */
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

  /** A topic that was deleted and made anew: all that is in it came after what was read. */
  #recognize({ id }: TopicMetadata): void {
    if (this.#topicId !== '' && this.#topicId !== id) this.#restart();
    this.#topicId = id;
  }

  #restart(): void {
    this.log.warn({ topic: this.options.topic }, 'the topic was made anew and is read from its beginning');
    for (const source of this.#sources.values()) source.position = 0;
  }

  /**
   * Asks for the topic now and then, since partitions are added; more often while one has no leader, since no loop reads it
   * that would notice the next one.
   */
  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    let nextAt = performance.now() + METADATA_MAX_AGE_MS;
    for (let looks = 0; !signal.aborted;) {
      await sleep(looks > 0 ? retryDelayMs(looks) : WATCH_MS, signal);
      looks = this.#isLeaderless ? looks + 1 : 0;
      if (looks === 0 && performance.now() < nextAt) continue;
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

  /** Ends when no partition is led by this broker any more. */
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

  /** One fetch from one broker, to the end of its delivery; when all is paused, a wait for that to change. */
  async #round(
    leader: number,
    led: readonly Source[],
    recent: RecentFetch | undefined,
  ): Promise<RecentFetch | undefined> {
    const now = performance.now();
    const asked = led
      .filter(({ paused, leftOutUntil }) => !paused && leftOutUntil <= now)
      .map((source) => ({ source, position: source.position }));
    if (asked.length === 0) {
      await this.#rest(led);
      return undefined;
    }
    const wait = nextFetchWait(recent);
    const fetched = await this.#fetch(leader, rotated(asked, this.#turn++), wait);
    return { ...(await this.#deliver(fetched, asked)), minBytes: wait.minBytes };
  }

  /** Until something changes, or a partition that was left out may be asked for again. */
  async #rest(led: readonly Source[]): Promise<void> {
    const until = Math.min(...led.map(({ paused, leftOutUntil }) => (paused ? Infinity : leftOutUntil)));
    if (until === Infinity) await this.#awake;
    else await Promise.race([this.#awake, sleep(until - performance.now(), this.#closing.signal)]);
  }

  async #recover(leader: number, error: KafkaError, failuresBefore: number): Promise<void> {
    if (this.#closing.signal.aborted) return;
    if (!isPassing(error)) throw error;
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

  /** Hands over what came. @throws KafkaError when a partition has an error that won't pass */
  async #deliver(
    fetched: readonly FetchedPartition[],
    asked: readonly Asked[],
  ): Promise<Omit<RecentFetch, 'minBytes'>> {
    let records = 0;
    let bytes = 0;
    for (const part of fetched) {
      if (this.#holds > 0) await this.#released();
      const source = this.#stillWanted(part.partition, asked);
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

  /** One partition's trouble must not slow the others of its broker: it alone waits. */
  #backOff(source: Source, error: KafkaError): void {
    if (!isPassing(error)) throw error;
    source.failures++;
    this.cluster.outage.failed(error, source.partition);
    source.leftOutUntil = performance.now() + retryDelayMs(source.failures);
    this.#refreshMetadata();
  }

  /** Its leader may be another by now. */
  #refreshMetadata(): void {
    if (this.#looking) return;
    this.#looking = true;
    void this.#locateAgain()
      .catch((error: unknown) => this.#crash(toKafkaError(error)))
      .finally(() => (this.#looking = false));
  }

  /** A partition that was paused, dropped or moved since it was asked for is asked for again. */
  #stillWanted(partition: number, asked: readonly Asked[]): Source | undefined {
    const source = this.#sources.get(partition);
    const before = asked.find((one) => one.source === source);
    return source && before && !source.paused && before.position === source.position ? source : undefined;
  }

  /** Piece by piece, each when there is room for it; stops when the partition is paused, dropped or moved meanwhile. */
  async #handOver(source: Source, part: FetchedPartition): Promise<number> {
    const { partition, position } = source;
    const { topic, readLimits } = this.options;
    if (!part.batches) return 0;
    const reader = new BatchReader(part.batches, { topic, partition }, position, part.aborted, readLimits);
    const turns = new Turns();
    let records = 0;
    for (let piece = this.#read(reader, source, part); piece; piece = this.#read(reader, source, part)) {
      records += piece.records.length;
      const turn = this.#handOverPiece(source, piece, part.highWatermark) ?? turns.next();
      if (turn) await turn;
      if (!this.#isStillAt(source, piece.next)) break;
    }
    return records;
  }

  #handOverPiece(source: Source, piece: Piece, highWatermark: number): Promise<void> | undefined {
    const { partition } = source;
    const { topic } = this.options;
    source.position = piece.next;
    if (piece.unreadable) {
      const { offset, lastOffset, reason } = piece.unreadable;
      this.log.error(
        { topic, partition, offset, lastOffset, reason },
        'records cannot be read; they are skipped',
      );
    }
    const taken = deliverPiece(this.handlers, { topic, partition }, piece, highWatermark);
    this.handlers.onPosition?.({ partition, offset: piece.next });
    if (!taken) return undefined;
    this.pauseUntil(taken);
    return this.#released();
  }

  #isStillAt(source: Source, position: number): boolean {
    return this.#sources.get(source.partition) === source && !source.paused && source.position === position;
  }

  #read(reader: BatchReader, source: Source, { highWatermark }: FetchedPartition): Piece | undefined {
    try {
      const piece = reader.next();
      source.damagedTries = 0;
      return piece;
    } catch (cause) {
      if (!(cause instanceof UnreadableBatch)) throw cause;
      if (++source.damagedTries < TRIES_FOR_DAMAGED) throw new KafkaError('unavailable', cause.message);
      source.damagedTries = 0;
      return skipping(cause, source.position, highWatermark);
    }
  }

  /** Nothing is delivered and nothing fetched until the promise is settled, or the fetcher closed. */
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

  /** Does something about a partition's error. @throws KafkaError when there is nothing to do */
  async #recoverPosition(source: Source, name: string): Promise<void> {
    if (name === 'OFFSET_OUT_OF_RANGE') return this.#reset(source);
    throw maybePassing(brokerError(name, `${this.options.topic} ${source.partition}`));
  }

  /** The position is gone, because its records have expired or the log was cut: goes on where a new group begins. */
  async #reset(source: Source): Promise<void> {
    const { topic, from } = this.options;
    const { partition } = source;
    const moment = from === 'latest' ? LATEST : EARLIEST;
    const offsets = await this.cluster.listOffsets(topic, [partition], moment).catch((cause: unknown) => {
      throw maybePassing(toKafkaError(cause));
    });
    const position = offsets.get(partition);
    this.log.warn(
      { topic, partition, was: source.position, position },
      'the position is gone from the log; reading goes on elsewhere',
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
      if (!isPassing(error) && error.kind !== 'unknown-topic') throw error;
    }
  }
}

/** Parts of a fetcher that can fail independently in an outage; partitions by number. */
const fetchFrom = (broker: number): string => `broker ${broker}`;
const leaderOf = (partition: number): string => `leader ${partition}`;

function isPassing({ kind }: KafkaError): boolean {
  return kind === 'unavailable';
}

/** A topic that is unknown was deleted, or is not yet known to this broker: both may pass. */
function maybePassing(error: KafkaError): KafkaError {
  return error.kind === 'unknown-topic' ? new KafkaError('unavailable', error.message) : error;
}

/** A full answer leaves out whoever comes last: each time another. */
function rotated<T>(list: readonly T[], by: number): T[] {
  const cut = by % list.length;
  return [...list.slice(cut), ...list.slice(0, cut)];
}
