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

/** Offsets of one partition, without `end`; some of them may be of no record that is to be seen. */
export interface PartitionRange {
  readonly partition: number;
  readonly start: number;
  readonly end: number;
}

export interface ScanOptions {
  /** How long nothing may come; the time that `onRecords` takes does not count. */
  readonly limitMs: number;
  readonly fetchMaxBytes: number;
  /** How the name of its group begins, for clients that need one. */
  readonly groupPrefix?: string | undefined;
  /** Ends the scan where it is: it resolves when the `onRecords` under way is done. */
  readonly signal?: AbortSignal | undefined;
  /** Takes over records of one partition, in their order. What comes next waits for a promise that it returns. */
  onRecords(records: readonly KafkaRecord[]): void | Promise<void>;
  /** Records that can't be read are stepped over, and this is all that is heard of them. */
  onUnreadable?(records: UnreadableRecords, reason: string): void;
}

/**
 * What a topic holds now, by partition. Partitions that hold nothing are left out.
 * @param since milliseconds since the epoch: from the first record that is not older
 * @returns undefined when the topic does not exist
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
    // Negative timestamps mean something else to a broker.
    for (const { partition, offset } of await admin.offsetsAt(topic, Math.max(0, Math.floor(since))))
      begin.set(partition, offset);
  return ranges
    .map(({ partition, start, end }) => ({ partition, start: begin.get(partition) ?? start, end }))
    .filter(({ start, end }) => start < end);
}

/**
 * Reads ranges of a topic, from their starts to their ends and no further, whatever is written meanwhile: memory holds
 * one fetch. Records that wait for their transaction to end are waited for.
 * @throws KafkaError `unavailable` when nothing comes for `limitMs`; whatever `onRecords` throws
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

/** Positions of a consumer on their way to the ends. What counts are positions, since the last offset need not be a record's. */
class Scan {
  readonly #ends: ReadonlyMap<number, number>;
  /** Positions of the partitions that are not at their ends yet. */
  readonly #open: Map<number, number>;
  #underWay = 0;
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
      onUnreadable: (records, reason) => this.#stepOver(records, reason),
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

  /** Never rejects: what `onRecords` throws ends the scan, not the consumer. */
  async #handOver(records: readonly KafkaRecord[]): Promise<void> {
    this.#underWay++;
    clearTimeout(this.#limit);
    try {
      await this.options.onRecords(records);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#underWay--;
      this.#wait();
    }
    this.#resolveIfDone();
  }

  #advance({ partition, offset }: PartitionOffset): void {
    if (!this.#open.has(partition)) return;
    if (offset < (this.#ends.get(partition) ?? 0)) this.#open.set(partition, offset);
    else {
      this.#open.delete(partition);
      // What others go on writing there is nobody's.
      this.consumer.pause([{ topic: this.topic, partition }]);
    }
    this.#wait();
    this.#resolveIfDone();
  }

  #stepOver(records: UnreadableRecords, reason: string): void {
    if (records.offset < (this.#ends.get(records.partition) ?? 0))
      this.options.onUnreadable?.(records, reason);
  }

  /** Gives the next sign of progress its time. */
  #wait(): void {
    clearTimeout(this.#limit);
    if (this.#ended || this.#underWay > 0) return;
    this.#limit = setTimeout(() => this.#fail(this.#stalled()), this.options.limitMs);
  }

  #stalled(): KafkaError {
    const places = [...this.#open].map(
      ([partition, position]) => `partition ${partition} at ${position} of ${this.#ends.get(partition)}`,
    );
    return new KafkaError(
      'unavailable',
      `topic ${this.topic}: nothing came for ${this.options.limitMs} ms (${places.slice(0, 5).join(', ')}): the broker may be away, or a transaction open`,
    );
  }

  #stop(): void {
    this.#ended = true;
    this.#resolveIfDone();
  }

  #resolveIfDone(): void {
    if (this.#underWay === 0 && (this.#ended || this.#open.size === 0)) this.#settle.resolve();
  }

  #fail(error: unknown): void {
    this.#ended = true;
    this.#settle.reject(error);
  }
}
