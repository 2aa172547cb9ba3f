import type { Batch, Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs';
import type { Logger } from '../../core/log.js';
import { sleep, within } from '../../core/time.js';
import type { OutageLink } from '../errors/outages.js';
import {
  KafkaError,
  type ConsumerHandlers,
  type ConsumerOptions,
  type GroupMembership,
  type KafkaConsumer,
  type KafkaRecord,
  type Position,
  type TopicPartition,
} from '../port.js';
import { deliverChunk } from '../record-batches/deliver-chunk.js';
import { BatchReader, skipUnreadable, UnreadableBatch, type Chunk } from '../record-batches/read-batches.js';
import { DEFAULT_READ_LIMITS } from '../record-batches/read-limits.js';
import { retryDelayMs } from '../errors/retry-delay.js';
import { Turns } from '../../core/turns.js';
import { topicOffsets } from './admin.js';
import { fixedAssigner, sharedAssigner } from './assigners.js';
import './follow-coordinator.js';
import { toKafkaError } from './errors.js';
import { isRaw } from './raw-batches.js';
import { RETRY } from './retry.js';
import type { Session } from './session.js';

/** Commits and heartbeats share a connection with the long-polling fetch, which must therefore be short. */
const FETCH_WAIT_MS = 200;
/** Time until partitions added to a topic are noticed. */
const METADATA_MAX_AGE_MS = 30_000;
const START_LIMIT_MS = 60_000;
const REBALANCE_TIMEOUT_MS = 30_000;
/**
 * Members also learn of a rebalance from heartbeats; until then, the partitions of members that left have no owner.
 */
const MAX_HEARTBEAT_INTERVAL_MS = 500;
/** Attempts to fetch a corrupted batch: the corruption may be in transit, not in the log. */
const TRIES_FOR_DAMAGED = 3;
/** Timeout for leaving the group. */
const CLOSE_LIMIT_MS = 3_000;

/** A consumer on kafkajs; with `partitions` it keeps its own positions, since such groups commit nothing. */
export class KafkaJsConsumer implements KafkaConsumer {
  #session: Session;
  #consumer: Consumer;
  readonly #positions = new Map<number, number>();
  readonly #paused = new Set<number>();
  /** Consecutive fetches of a partition that began with a corrupted batch. */
  readonly #damaged = new Map<number, number>();
  #assigned: readonly TopicPartition[] = [];
  #handlers: ConsumerHandlers | undefined;
  readonly #closing = new AbortController();
  /** True if partitions were assigned before: their topic may then be missing for a while. */
  #joined = false;
  /** Member id in the group; empty for a new member. */
  #memberId = '';
  /** False while a new kafkajs instance joins: it cannot commit yet, and the previous one no longer can. */
  #mayCommit = false;

  constructor(
    readonly newSession: () => Session,
    readonly options: ConsumerOptions,
    readonly parts: { readonly log: Logger; readonly outage: OutageLink },
  ) {
    this.#session = newSession();
    this.#consumer = this.#create();
  }

  #create(): Consumer {
    const { group, topic, partitions, sessionTimeoutMs, fetchMaxBytes } = this.options;
    return this.#session.kafka.consumer({
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(REBALANCE_TIMEOUT_MS, sessionTimeoutMs),
      heartbeatInterval: heartbeatMs(sessionTimeoutMs),
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytes: fetchMaxBytes,
      maxBytesPerPartition: Math.min(fetchMaxBytes, 1024 * 1024),
      allowAutoTopicCreation: false,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      // kafkajs treats some temporary failures as final, and restarts after others even once closed.
      retry: { ...RETRY, restartOnFailure: () => Promise.resolve(false) },
      partitionAssigners: [
        partitions
          ? fixedAssigner(topic, partitions)
          : sharedAssigner(
              topic,
              this.parts.log,
              () => this.#revoke(),
              () => this.#memberId,
            ),
      ],
    });
  }

  async start(handlers: ConsumerHandlers): Promise<void> {
    this.#handlers = handlers;
    try {
      await within(
        START_LIMIT_MS,
        this.#begin(),
        () =>
          new KafkaError(
            'unavailable',
            `group ${this.options.group}: not joined within ${START_LIMIT_MS} ms`,
          ),
      );
    } catch (error) {
      await this.close();
      throw toKafkaError(error);
    }
  }

  async #begin(): Promise<void> {
    await this.#joinWithRetries();
    if (this.#closing.signal.aborted) throw new KafkaError('unavailable', 'closed');
  }

  /** Joins, retrying even if the coordinator, or later the topic, is unavailable for long. */
  async #joinWithRetries(): Promise<void> {
    const { signal } = this.#closing;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await this.#session.run(() => this.#join(), START_LIMIT_MS);
        this.#joined = true;
        this.parts.outage.worked();
        return;
      } catch (cause) {
        const error = toKafkaError(cause);
        if (signal.aborted) return;
        if (!canRejoin(error) || (error.kind === 'unknown-topic' && !this.#joined)) throw error;
        if (error.kind === 'rebalanced') this.#memberId = '';
        this.parts.outage.failed(error);
        await sleep(retryDelayMs(attempt), signal);
        this.#renew();
      }
    }
  }

  /** Replaces the kafkajs instance after a crash. */
  #renew(): void {
    this.#session.cut();
    if (this.#closing.signal.aborted) return;
    this.#session = this.newSession();
    this.#consumer = this.#create();
    this.#mayCommit = false;
    this.#paused.clear();
    this.#damaged.clear();
  }

  async #join(): Promise<void> {
    const { topic, from, partitions } = this.options;
    const consumer = this.#consumer;
    if (partitions && this.#positions.size === 0) await this.#fixPositions(partitions);
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: from === 'earliest' });
    let isJoined = false;
    const joined = new Promise<void>((resolve, reject) => {
      consumer.on('consumer.group_join', ({ payload }) => {
        if (consumer !== this.#consumer) return;
        this.#memberId = payload.memberId;
        this.#mayCommit = true;
        this.#assign(payload.memberAssignment[topic] ?? []);
        isJoined = true;
        resolve();
      });
      consumer.on('consumer.crash', ({ payload }) => {
        const error = toKafkaError(payload.error);
        reject(error);
        if (isJoined && consumer === this.#consumer) void this.#recover(error);
      });
    });
    joined.catch(() => undefined);
    consumer.on('consumer.fetch', () => this.parts.outage.worked());
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 1,
      eachBatch: (payload) => this.#deliver(payload),
    });
    await joined;
  }

  async #recover(error: KafkaError): Promise<void> {
    if (this.#closing.signal.aborted) return;
    try {
      if (!canRejoin(error)) throw error;
      if (error.kind === 'rebalanced') this.#memberId = '';
      this.parts.outage.failed(error);
      this.#renew();
      await this.#joinWithRetries();
    } catch (cause) {
      if (this.#closing.signal.aborted) return;
      void this.close();
      this.#handlers?.onCrash(toKafkaError(cause));
    }
  }

  /** Fixes the positions before any request is sent, so that no reply can be missed. */
  async #fixPositions(partitions: readonly number[]): Promise<void> {
    const { topic, from, offsets } = this.options;
    const admin = this.#session.kafka.admin();
    await admin.connect();
    try {
      for (const { partition, start, end } of await topicOffsets(admin, topic)) {
        if (partitions.includes(partition))
          this.#positions.set(partition, offsets?.get(partition) ?? (from === 'latest' ? end : start));
      }
    } finally {
      await admin.disconnect();
    }
  }

  #assign(partitions: readonly number[]): void {
    const { topic } = this.options;
    this.#assigned = partitions.map((partition) => ({ topic, partition }));
    for (const [partition, offset] of this.#positions)
      this.#consumer.seek({ topic, partition, offset: String(offset) });
    this.#handlers?.onAssigned(this.#assigned);
  }

  async #revoke(): Promise<void> {
    const revoked = this.#assigned;
    this.#assigned = [];
    if (revoked.length > 0) await this.#handlers?.onRevoked(revoked);
  }

  /** Delivers chunk by chunk, each once there is capacity; stops if the partition is paused or revoked meanwhile. */
  async #deliver(payload: EachBatchPayload): Promise<void> {
    const handlers = this.#handlers;
    if (!handlers) return;
    const { batch } = payload;
    const { topic, partition } = batch;
    const turns = new Turns();
    for (const chunk of this.#chunks(batch)) {
      this.#logUnreadable(partition, chunk);
      const taken = deliverChunk(handlers, { topic, partition }, chunk, Number(batch.highWatermark));
      this.#advance(payload, chunk.next, handlers);
      if (taken) await this.#holdBack(taken, () => payload.heartbeat());
      else await turns.next()?.then(() => payload.heartbeat());
      if (this.#paused.has(partition) || payload.isStale() || !payload.isRunning()) return;
    }
  }

  #advance(payload: EachBatchPayload, next: number, handlers: ConsumerHandlers): void {
    const { partition } = payload.batch;
    payload.resolveOffset(String(next - 1));
    if (!this.#positions.has(partition)) return;
    this.#positions.set(partition, next);
    handlers.onPosition?.({ partition, offset: next });
  }

  #logUnreadable(partition: number, { unreadable }: Chunk): void {
    if (!unreadable) return;
    const { topic } = this.options;
    this.parts.log.error({ topic, partition, ...unreadable }, 'records cannot be read; skipping them');
  }

  *#chunks(batch: Batch): Generator<Chunk> {
    const [first] = batch.messages;
    if (!isRaw(first)) {
      yield* this.#chunksOfOldFormat(batch);
      return;
    }
    const { topic, partition } = batch;
    const { fetchedOffset } = batch as Batch & { readonly fetchedOffset: string };
    const from = Number(fetchedOffset);
    const { bytes, aborted } = first;
    const reader = new BatchReader(bytes, { topic, partition }, from, {
      aborted,
      limits: this.options.readLimits,
    });
    try {
      for (let chunk = reader.next(); chunk; chunk = reader.next()) yield chunk;
      this.#damaged.delete(partition);
    } catch (error) {
      if (!(error instanceof UnreadableBatch)) throw error;
      const tries = (this.#damaged.get(partition) ?? 0) + 1;
      this.#damaged.set(partition, tries % TRIES_FOR_DAMAGED);
      if (tries === TRIES_FOR_DAMAGED) yield skipUnreadable(error, from, Number(batch.highWatermark));
    }
  }

  /** Yields records in formats older than Kafka 0.11, which kafkajs has decoded. */
  *#chunksOfOldFormat(batch: Batch): Generator<Chunk> {
    const { topic, partition, messages } = batch;
    const { chunkRecords } = this.options.readLimits ?? DEFAULT_READ_LIMITS;
    for (let at = 0; at < messages.length; at += chunkRecords) {
      const records = messages
        .slice(at, at + chunkRecords)
        .map((message) => toRecord(topic, partition, message));
      const isLast = at + chunkRecords >= messages.length;
      yield { records, next: (isLast ? Number(batch.lastOffset()) : (records.at(-1)?.offset ?? 0)) + 1 };
    }
  }

  async #holdBack(taken: Promise<unknown>, heartbeat: () => Promise<void>): Promise<void> {
    const done = new AbortController();
    const held = taken.finally(() => done.abort());
    while (!done.signal.aborted) {
      await sleep(heartbeatMs(this.options.sessionTimeoutMs), done.signal);
      if (!done.signal.aborted) await heartbeat();
    }
    await held;
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) this.#paused.add(partition);
    this.#consumer.pause(grouped(partitions));
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) this.#paused.delete(partition);
    this.#consumer.resume(grouped(partitions));
  }

  async commit(positions: readonly Position[]): Promise<void> {
    if (!this.#mayCommit) throw new KafkaError('rebalanced', `group ${this.options.group} is rebalancing`);
    const offsets = positions.map(({ topic, partition, offset, metadata }) => ({
      topic,
      partition,
      offset: String(offset),
      metadata: metadata ?? null,
    }));
    try {
      const consumer = this.#consumer;
      await this.#session.run(() => consumer.commitOffsets(offsets));
    } catch (error) {
      throw toKafkaError(error);
    }
  }

  /** Returns no member identity: kafkajs commits the offsets of a transaction without one. */
  membership(): GroupMembership {
    return { group: this.options.group, memberId: '', generation: -1 };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.parts.outage.close();
    const consumer = this.#consumer;
    await this.#session.end(() => consumer.disconnect(), CLOSE_LIMIT_MS);
  }
}

/** Returns true if a new consumer can rejoin the group. */
function canRejoin({ kind, retriable, cause }: KafkaError): boolean {
  const hasExhaustedRetries = (cause as Error | undefined)?.name === 'KafkaJSNumberOfRetriesExceeded';
  return retriable || kind === 'rebalanced' || kind === 'unknown-topic' || hasExhaustedRetries;
}

function heartbeatMs(sessionTimeoutMs: number): number {
  return Math.min(MAX_HEARTBEAT_INTERVAL_MS, Math.floor(sessionTimeoutMs / 6));
}

function grouped(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  return partitions.map(({ topic, partition }) => ({ topic, partitions: [partition] }));
}

/** Converts a record; before Kafka 0.11, records had no headers. */
function toRecord(topic: string, partition: number, message: KafkaMessage): KafkaRecord {
  const { key, value, offset, timestamp } = message;
  return {
    topic,
    partition,
    offset: Number(offset),
    key,
    value,
    headers: {},
    timestamp: Number(timestamp),
  };
}
