import { randomUUID } from 'node:crypto';
import type { Logger } from '../../core/log.js';
import { sleep } from '../../core/time.js';
import { KafkaError, type KafkaClient, type KafkaConsumer, type KafkaRecord } from '../port.js';
import { LatestRecords, type LatestOptions } from './compacted-table.js';
import { reopen } from './reopen.js';

const SESSION_TIMEOUT_MS = 10_000;
const READ_LIMIT_MS = 15_000;
const POLL_MS = 50;
/** Time to read what has just been written, milliseconds. */
const READ_BACK_MS = 10_000;

export interface FollowOptions extends Pick<LatestOptions, 'maxRecordBytes' | 'maxBytes' | 'fetchMaxBytes'> {
  readonly topic: string;
  readonly log: Logger;
}

/** One pass of reading: its records, the offset after the last one, and true once it is what callers see. */
interface Reading {
  readonly latest: LatestRecords;
  next: number;
  isCurrent: boolean;
}

/**
 * The current state of a compacted topic with one partition: the last record of each key, kept up to date. The reader
 * is opened again after a crash; until then the state is the last one known.
 */
export class FollowedTopic {
  readonly #closing = new AbortController();
  readonly #listeners = new Set<() => void>();
  #latest: LatestRecords;
  #consumer: KafkaConsumer | undefined;
  #position = 0;

  constructor(
    readonly kafka: KafkaClient,
    readonly options: FollowOptions,
  ) {
    this.#latest = new LatestRecords(options);
  }

  /**
   * Reads the topic to its current end, then follows it.
   * @throws KafkaError if it cannot be read
   */
  start(): Promise<void> {
    return this.#follow();
  }

  /** Returns the last record of each key, including tombstones, in order of offsets. */
  records(): readonly KafkaRecord[] {
    return this.#latest.records();
  }

  /** Offset after the last record that was read. */
  get position(): number {
    return this.#position;
  }

  /**
   * Resolves once everything that the topic holds now has been read.
   * @returns the offset after the last record
   * @throws KafkaError if that takes too long
   */
  async readToEnd(): Promise<number> {
    const end = await this.#endOffset();
    const giveUpAt = Date.now() + READ_BACK_MS;
    while (this.#position < end) {
      if (Date.now() > giveUpAt) throw this.#late(READ_BACK_MS);
      await sleep(POLL_MS, this.#closing.signal);
    }
    return end;
  }

  /** Calls `listener` after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#consumer?.close();
  }

  /** Reads the topic to its current end with a new reader; only then does it replace the former one. */
  async #follow(): Promise<void> {
    const end = await this.#endOffset();
    const consumer = this.#createConsumer();
    const reading: Reading = { latest: new LatestRecords(this.options), next: 0, isCurrent: false };
    try {
      await this.#readTo(end, consumer, reading);
      this.#closing.signal.throwIfAborted();
    } catch (error) {
      await consumer.close();
      throw error;
    }
    reading.isCurrent = true;
    this.#consumer = consumer;
    this.#latest = reading.latest;
    this.#changed(Math.max(end, reading.next));
  }

  /** Starts the reader; resolves once it has read up to `end`. */
  #readTo(end: number, consumer: KafkaConsumer, reading: Reading): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(this.#late(READ_LIMIT_MS)), READ_LIMIT_MS);
      const caughtUp = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const failed = (error: Error): void => {
        clearTimeout(timer);
        reject(error);
      };
      const advance = (next: number, hasRecords: boolean): void => {
        reading.next = next;
        if (reading.isCurrent && hasRecords) this.#changed(next);
        else if (reading.isCurrent) this.#position = next;
        else if (next >= end) caughtUp();
      };
      const started = consumer.start({
        onRecords: (records) => {
          for (const record of records) reading.latest.add(record);
          advance((records.at(-1)?.offset ?? -1) + 1, true);
        },
        onPosition: ({ offset }) => advance(offset, false),
        onAssigned: () => undefined,
        onRevoked: () => Promise.resolve(),
        onCrash: (error) => {
          failed(error);
          if (reading.isCurrent) void this.#reopen(error);
        },
      });
      started.then(() => end === 0 && caughtUp(), failed);
    });
  }

  #late(limitMs: number): KafkaError {
    const { topic } = this.options;
    return new KafkaError('unavailable', `topic ${topic} was not read within ${limitMs} ms`);
  }

  #createConsumer(): KafkaConsumer {
    const { topic, fetchMaxBytes } = this.options;
    return this.kafka.consumer({
      group: `${topic}.${randomUUID()}`,
      topic,
      from: 'earliest',
      partitions: [0],
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      fetchMaxBytes,
    });
  }

  /** Returns the end of the partition; 0 if it is empty. */
  async #endOffset(): Promise<number> {
    const admin = this.kafka.admin();
    try {
      await admin.connect();
      const [partition] = await admin.offsets(this.options.topic);
      return partition && partition.end > partition.start ? partition.end : 0;
    } finally {
      await admin.close();
    }
  }

  async #reopen(error: KafkaError): Promise<void> {
    const { topic, log } = this.options;
    log.warn({ topic, err: error }, 'following a topic failed; reopening it');
    await this.#consumer?.close();
    await reopen(() => this.#follow(), { topic, log, closing: this.#closing.signal });
  }

  /** Notes that the state has changed and includes all records before `next`. */
  #changed(next: number): void {
    this.#position = next;
    for (const listener of this.#listeners) listener();
  }
}
