import { correlationOf, replyTo } from '../core/headers.js';
import { Outbox } from '../core/kafka/outbox.js';
import type { KafkaClient, KafkaRecord } from '../core/kafka/port.js';
import { within } from '../core/retry.js';

export interface LoadOptions {
  readonly requestTopic: string;
  readonly replyTopic: string;
  readonly partitions: number;
  readonly inflight: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Record values to send, in turn. */
  readonly values: readonly Buffer[];
  /** Whether a reply to `values[index]` is right; asked for every fiftieth. */
  readonly isRight: (index: number, value: Buffer) => boolean;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly duplicates: number;
  readonly wrong: number;
  readonly lost: number;
}

const CHECK_EVERY = 50;
const LAST_REPLIES_LIMIT_MS = 30_000;

/** Keeps `inflight` requests under way: each reply sends the next. Every reply is counted, so that loss and repetition show. */
export async function runLoad(kafka: KafkaClient, options: LoadOptions): Promise<LoadResult> {
  const load = new ClosedLoop(kafka, options);
  try {
    return await load.run();
  } finally {
    await load.close();
  }
}

class ClosedLoop {
  readonly #producer;
  readonly #outbox;
  readonly #consumer;
  readonly #sentAt = new Map<string, number>();
  readonly #latencies: number[] = [];
  #count = 0;
  #measuring = false;
  #stopping = false;
  #duplicates = 0;
  #wrong = 0;
  #drained: () => void = () => undefined;

  constructor(
    kafka: KafkaClient,
    readonly options: LoadOptions,
  ) {
    this.#producer = kafka.producer();
    this.#outbox = new Outbox(this.#producer);
    this.#consumer = kafka.consumer({
      group: `bench.load.${process.pid}.${Math.random().toString(36).slice(2)}`,
      topic: options.replyTopic,
      from: 'latest',
      partitions: Array.from({ length: options.partitions }, (_, index) => index),
      sessionTimeoutMs: 30_000,
      fetchMaxBytes: 8 * 1024 * 1024,
    });
  }

  async run(): Promise<LoadResult> {
    await this.#producer.connect();
    await this.#consumer.start({
      onRecords: (records) => this.#onReplies(records),
      onAssigned: () => undefined,
      onRevoked: () => Promise.resolve(),
      onCrash: (error) => {
        throw error;
      },
    });
    for (let index = 0; index < this.options.inflight; index++) this.#send();
    await pause(this.options.warmUpMs);
    this.#measuring = true;
    const startedAt = performance.now();
    await pause(this.options.measureMs);
    this.#measuring = false;
    const seconds = (performance.now() - startedAt) / 1_000;
    await this.#finish();
    const sorted = this.#latencies.sort((a, b) => a - b);
    return {
      requestsPerSecond: sorted.length / seconds,
      p50Ms: sorted[Math.floor(sorted.length * 0.5)] ?? NaN,
      p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? NaN,
      duplicates: this.#duplicates,
      wrong: this.#wrong,
      lost: this.#sentAt.size,
    };
  }

  #send(): void {
    const { values, requestTopic, replyTopic, partitions } = this.options;
    const number = this.#count++;
    const correlation = String(number);
    this.#sentAt.set(correlation, performance.now());
    const record = {
      topic: requestTopic,
      partition: number % partitions,
      key: null,
      value: values[number % values.length] as Buffer,
      headers: replyTo(replyTopic, number % partitions, correlation),
    };
    this.#outbox.push(record, {
      delivered: () => undefined,
      failed: (error) => {
        throw error;
      },
    });
  }

  #onReplies(records: readonly KafkaRecord[]): void {
    const now = performance.now();
    for (const { headers, value } of records) {
      const correlation = correlationOf(headers) ?? '';
      const sentAt = this.#sentAt.get(correlation);
      if (sentAt === undefined) {
        this.#duplicates++;
        continue;
      }
      this.#sentAt.delete(correlation);
      if (this.#measuring) this.#latencies.push(now - sentAt);
      this.#check(Number(correlation), value);
      if (!this.#stopping) this.#send();
    }
    if (this.#stopping && this.#sentAt.size === 0) this.#drained();
  }

  #check(number: number, value: Buffer | null): void {
    if (number % CHECK_EVERY !== 0) return;
    if (value === null || !this.options.isRight(number % this.options.values.length, value)) this.#wrong++;
  }

  async #finish(): Promise<void> {
    this.#stopping = true;
    if (this.#sentAt.size === 0) return;
    const drained = new Promise<void>((resolve) => (this.#drained = resolve));
    await within(LAST_REPLIES_LIMIT_MS, drained, () => new Error('late')).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.#outbox.close();
    await Promise.all([this.#producer.close(), this.#consumer.close()]);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
