import { randomUUID } from 'node:crypto';
import type { Logger } from '../../core/log.js';
import { backoffMs, sleep, within, type Backoff } from '../../core/time.js';
import { KafkaError, type KafkaClient, type KafkaConsumer, type KafkaRecord } from '../port.js';
import { LatestRecords, type LatestOptions } from './compacted-table.js';

const SESSION_TIMEOUT_MS = 10_000;
const READ_LIMIT_MS = 15_000;
const BACKOFF: Backoff = { firstMs: 250, maxMs: 5_000 };

export interface FollowOptions extends Pick<LatestOptions, 'maxRecordBytes' | 'maxBytes' | 'fetchMaxBytes'> {
  readonly topic: string;
  readonly log: Logger;
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

  /** Calls `listener` after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#consumer?.close();
  }

  async #follow(): Promise<void> {
    const { topic, fetchMaxBytes } = this.options;
    const end = await this.#endOffset();
    let caughtUp: () => void = () => undefined;
    const current = new Promise<void>((resolve) => (caughtUp = resolve));
    this.#latest = new LatestRecords(this.options);
    this.#consumer = this.kafka.consumer({
      group: `${topic}.${randomUUID()}`,
      topic,
      from: 'earliest',
      partitions: [0],
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      fetchMaxBytes,
    });
    await this.#consumer.start({
      onRecords: (records) => this.#add(records),
      onPosition: ({ offset }) => {
        this.#position = offset;
        if (offset >= end) caughtUp();
      },
      onAssigned: () => undefined,
      onRevoked: () => Promise.resolve(),
      onCrash: (error) => void this.#reopen(error),
    });
    const late = (): Error =>
      new KafkaError('unavailable', `topic ${topic} was not read within ${READ_LIMIT_MS} ms`);
    if (end > 0) await within(READ_LIMIT_MS, current, late);
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
    for (let attempt = 1; !this.#closing.signal.aborted; attempt++) {
      await sleep(backoffMs(BACKOFF, attempt), this.#closing.signal);
      try {
        if (!this.#closing.signal.aborted) return await this.#follow();
      } catch (cause) {
        log.debug({ topic, err: cause }, 'topic cannot be followed; retrying');
      }
    }
  }

  #add(records: readonly KafkaRecord[]): void {
    for (const record of records) {
      this.#latest.add(record);
      this.#position = record.offset + 1;
    }
    for (const listener of this.#listeners) listener();
  }
}
