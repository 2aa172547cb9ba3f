import { randomUUID } from 'node:crypto';
import type { Logger } from '../../core/log.js';
import type { KafkaClient, KafkaConsumer, KafkaError, KafkaRecord } from '../port.js';
import { reopen } from './reopen.js';

const SESSION_TIMEOUT_MS = 10_000;

export interface TailOptions {
  /** A topic with one partition. */
  readonly topic: string;
  readonly fetchMaxBytes: number;
  readonly log: Logger;
  readonly onRecords: (records: readonly KafkaRecord[]) => void;
}

/**
 * Follows a topic from its end. The reader is opened again after a crash, at the end: records written meanwhile are
 * missed.
 */
export class TailedTopic {
  readonly #closing = new AbortController();
  #consumer: KafkaConsumer | undefined;

  constructor(
    readonly kafka: KafkaClient,
    readonly options: TailOptions,
  ) {}

  /** Resolves once later records are delivered. @throws KafkaError if the topic cannot be read */
  async start(): Promise<void> {
    const { topic, fetchMaxBytes, onRecords } = this.options;
    const consumer = this.kafka.consumer({
      group: `${topic}.${randomUUID()}`,
      topic,
      from: 'latest',
      partitions: [0],
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      fetchMaxBytes,
    });
    this.#consumer = consumer;
    try {
      await consumer.start({
        onRecords: (records) => onRecords(records),
        onAssigned: () => undefined,
        onRevoked: () => Promise.resolve(),
        onCrash: (error) => void this.#reopen(consumer, error),
      });
      this.#closing.signal.throwIfAborted();
    } catch (error) {
      await consumer.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#consumer?.close();
  }

  async #reopen(crashed: KafkaConsumer, error: KafkaError): Promise<void> {
    const { topic, log } = this.options;
    if (this.#closing.signal.aborted || this.#consumer !== crashed) return;
    log.warn({ topic, err: error }, 'following a topic failed; reopening it');
    await crashed.close();
    await reopen(() => this.start(), { topic, log, closing: this.#closing.signal });
  }
}
