import { randomUUID } from 'node:crypto';
import type { Config } from '../core/config/config.js';
import type { Logger } from '../core/log.js';
import { backoffMs, sleep, within, type Backoff } from '../core/time.js';
import { KafkaError, type KafkaClient, type KafkaConsumer, type KafkaRecord } from '../kafka/port.js';
import { LatestRecords } from '../kafka/reading/compacted-table.js';
import {
  decodeStatuses,
  DIRECTORY_LIMITS,
  SILENT_AFTER_MS,
  withoutForgotten,
  type KnownNode,
} from './node-directory.js';
import { topicNames } from './topics.js';

type LiveNodesConfig = Pick<Config, 'prefix' | 'fetchMaxBytes' | 'nodeForgetMs'>;

const SESSION_TIMEOUT_MS = 10_000;
const READ_LIMIT_MS = 15_000;
const BACKOFF: Backoff = { firstMs: 250, maxMs: 5_000 };

/**
 * The node directory, kept current: follows the node topic from its beginning and reopens the reader after a crash.
 * One instance serves all readers of a process.
 */
export class LiveNodes {
  readonly #closing = new AbortController();
  readonly #listeners = new Set<() => void>();
  #latest = new LatestRecords(DIRECTORY_LIMITS);
  #nodes: KnownNode[] | undefined;
  #consumer: KafkaConsumer | undefined;

  constructor(
    readonly kafka: KafkaClient,
    readonly config: LiveNodesConfig,
    readonly log: Logger,
  ) {}

  /**
   * Reads the current statuses, then follows.
   * @throws KafkaError if the topic cannot be read
   */
  async start(): Promise<void> {
    await this.#follow();
  }

  /** Returns the nodes that are not forgotten, by name. */
  nodes(now = Date.now()): readonly KnownNode[] {
    this.#nodes ??= withoutForgotten(decodeStatuses(this.#latest.records()), this.config).map(
      ({ status }) => ({
        ...status,
        alive: true,
      }),
    );
    return this.#nodes.map((node) => ({ ...node, alive: now - node.beatAt < SILENT_AFTER_MS }));
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
    const topic = topicNames(this.config.prefix).nodes;
    const end = await this.#endOffset(topic);
    let caughtUp: () => void = () => undefined;
    const current = new Promise<void>((resolve) => (caughtUp = resolve));
    this.#latest = new LatestRecords(DIRECTORY_LIMITS);
    this.#consumer = this.kafka.consumer({
      group: `${topic}.${randomUUID()}`,
      topic,
      from: 'earliest',
      partitions: [0],
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      fetchMaxBytes: this.config.fetchMaxBytes,
    });
    await this.#consumer.start({
      onRecords: (records) => this.#add(records),
      onPosition: ({ offset }) => {
        if (offset >= end) caughtUp();
      },
      onAssigned: () => undefined,
      onRevoked: () => Promise.resolve(),
      onCrash: (error) => void this.#reopen(error),
    });
    const late = (): Error =>
      new KafkaError('unavailable', `the node topic was not read within ${READ_LIMIT_MS} ms`);
    if (end > 0) await within(READ_LIMIT_MS, current, late);
  }

  async #endOffset(topic: string): Promise<number> {
    const admin = this.kafka.admin();
    try {
      await admin.connect();
      const [partition] = await admin.offsets(topic);
      return partition && partition.end > partition.start ? partition.end : 0;
    } finally {
      await admin.close();
    }
  }

  async #reopen(error: KafkaError): Promise<void> {
    this.log.warn({ err: error }, 'reading the node topic failed; reopening it');
    await this.#consumer?.close();
    for (let attempt = 1; !this.#closing.signal.aborted; attempt++) {
      await sleep(backoffMs(BACKOFF, attempt), this.#closing.signal);
      try {
        if (!this.#closing.signal.aborted) return await this.#follow();
      } catch (cause) {
        this.log.debug({ err: cause }, 'the node topic cannot be read; retrying');
      }
    }
  }

  #add(records: readonly KafkaRecord[]): void {
    for (const record of records) this.#latest.add(record);
    this.#nodes = undefined;
    for (const listener of this.#listeners) listener();
  }
}
