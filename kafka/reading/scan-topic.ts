import { randomUUID } from 'node:crypto';
import {
  KafkaError,
  type ConsumerHandlers,
  type KafkaAdmin,
  type KafkaClient,
  type KafkaConsumer,
  type KafkaRecord,
  type PartitionOffset,
  type UnreadableRecords,
} from '../port.js';

const SESSION_TIMEOUT_MS = 10_000;

/** Range of offsets in one partition; `end` is exclusive. Not every offset has a visible record. */
export interface PartitionRange {
  readonly partition: number;
  readonly start: number;
  readonly end: number;
}

export interface ScanOptions {
  /** Longest time without progress; time spent in `onRecords` does not count. */
  readonly limitMs: number;
  readonly fetchMaxBytes: number;
  /** Prefix of the consumer group, for clients that need one. */
  readonly groupPrefix?: string | undefined;
  /** Ends the scan early: it resolves once the current `onRecords` call is done. */
  readonly signal?: AbortSignal | undefined;
  /** Accepts records of one partition, in order. A returned promise delays the next ones. */
  onRecords(records: readonly KafkaRecord[]): void | Promise<void>;
  /** Reports unreadable records, which are skipped. */
  onUnreadable?(records: UnreadableRecords, reason: string): void;
}

/**
 * Returns the current offset range of each partition; empty partitions are left out.
 * @param since milliseconds since the epoch: start at the first record at or after this time
 * @returns undefined if the topic does not exist
 */
export async function topicRanges(
  admin: KafkaAdmin,
  topic: string,
  since?: number,
): Promise<PartitionRange[] | undefined> {
  if ((await admin.partitionCount(topic)) === undefined) return undefined;
  const ranges = await admin.offsets(topic);
  const begin = new Map<number, number>();
  if (since !== undefined)
    // Negative timestamps have a special meaning for brokers.
    for (const { partition, offset } of await admin.offsetsAt(topic, Math.max(0, Math.floor(since))))
      begin.set(partition, offset);
  return ranges
    .map(({ partition, start, end }) => ({ partition, start: begin.get(partition) ?? start, end }))
    .filter(({ start, end }) => start < end);
}

/**
 * Reads ranges of a topic from start to end, regardless of what is written meanwhile; memory holds one fetch. Waits
 * for open transactions within the ranges to end.
 * @throws KafkaError `unavailable` if nothing arrives for `limitMs`; any error of `onRecords`
 */
export async function scanRanges(
  kafka: KafkaClient,
  topic: string,
  ranges: readonly PartitionRange[],
  options: ScanOptions,
): Promise<void> {
  const filled = ranges.filter(({ start, end }) => start < end);
  if (filled.length === 0 || options.signal?.aborted) return;
  const consumer = kafka.consumer({
    group: `${options.groupPrefix ?? 'partitura.read.'}${randomUUID()}`,
    topic,
    from: 'earliest',
    partitions: filled.map(({ partition }) => partition),
    offsets: new Map(filled.map(({ partition, start }) => [partition, start])),
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    fetchMaxBytes: options.fetchMaxBytes,
  });
  try {
    await new Scan(consumer, topic, filled, options).run();
  } finally {
    await consumer.close();
  }
}

/** Reads up to the end offsets. Tracks positions, not records: the last offset need not have a visible record. */
class Scan {
  readonly #ends: ReadonlyMap<number, number>;
  /** Positions of the partitions that have not reached their ends. */
  readonly #open: Map<number, number>;
  #inFlight = 0;
  #ended = false;
  #limit: NodeJS.Timeout | undefined;
  #settle!: { resolve: () => void; reject: (error: unknown) => void };

  constructor(
    readonly consumer: KafkaConsumer,
    readonly topic: string,
    ranges: readonly PartitionRange[],
    readonly options: ScanOptions,
  ) {
    this.#ends = new Map(ranges.map(({ partition, end }) => [partition, end]));
    this.#open = new Map(ranges.map(({ partition, start }) => [partition, start]));
  }

  async run(): Promise<void> {
    const { signal } = this.options;
    const done = new Promise<void>((resolve, reject) => (this.#settle = { resolve, reject }));
    const stop = (): void => this.#stop();
    signal?.addEventListener('abort', stop, { once: true });
    this.#wait();
    this.consumer.start(this.#handlers()).catch((error: unknown) => this.#fail(error));
    try {
      await done;
    } finally {
      this.#ended = true;
      clearTimeout(this.#limit);
      signal?.removeEventListener('abort', stop);
    }
  }

  #handlers(): ConsumerHandlers {
    return {
      onRecords: (records) => this.#take(records),
      onPosition: (position) => this.#advance(position),
      onUnreadable: (records, reason) => this.#noteUnreadable(records, reason),
      onAssigned: () => undefined,
      onRevoked: () => Promise.resolve(),
      onCrash: (error) => this.#fail(error),
    };
  }

  #take(records: readonly KafkaRecord[]): Promise<void> | undefined {
    const end = this.#ends.get(records[0]?.partition ?? NaN) ?? 0;
    const wanted = records.filter(({ offset }) => offset < end);
    if (this.#ended || wanted.length === 0) return undefined;
    return this.#handOver(wanted);
  }

  /** Never rejects: an error of `onRecords` ends the scan, not the consumer. */
  async #handOver(records: readonly KafkaRecord[]): Promise<void> {
    this.#inFlight++;
    clearTimeout(this.#limit);
    try {
      await this.options.onRecords(records);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#inFlight--;
      this.#wait();
    }
    this.#resolveIfDone();
  }

  #advance({ partition, offset }: PartitionOffset): void {
    if (!this.#open.has(partition)) return;
    if (offset < (this.#ends.get(partition) ?? 0)) this.#open.set(partition, offset);
    else {
      this.#open.delete(partition);
      // Records written after the end are out of scope.
      this.consumer.pause([{ topic: this.topic, partition }]);
    }
    this.#wait();
    this.#resolveIfDone();
  }

  #noteUnreadable(records: UnreadableRecords, reason: string): void {
    if (records.offset < (this.#ends.get(records.partition) ?? 0))
      this.options.onUnreadable?.(records, reason);
  }

  /** Restarts the timeout for progress. */
  #wait(): void {
    clearTimeout(this.#limit);
    if (this.#ended || this.#inFlight > 0) return;
    this.#limit = setTimeout(() => this.#fail(this.#stalled()), this.options.limitMs);
  }

  #stalled(): KafkaError {
    const places = [...this.#open].map(
      ([partition, position]) => `partition ${partition} at ${position} of ${this.#ends.get(partition)}`,
    );
    return new KafkaError(
      'unavailable',
      `topic ${this.topic}: no records received for ${this.options.limitMs} ms (${places.slice(0, 5).join(', ')}): the broker may be unavailable, or a transaction open`,
    );
  }

  #stop(): void {
    this.#ended = true;
    this.#resolveIfDone();
  }

  #resolveIfDone(): void {
    if (this.#inFlight === 0 && (this.#ended || this.#open.size === 0)) this.#settle.resolve();
  }

  #fail(error: unknown): void {
    this.#ended = true;
    this.#settle.reject(error);
  }
}
