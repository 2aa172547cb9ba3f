import { randomUUID } from 'node:crypto';
import { topicNames } from '../../cluster/topics.js';
import type { Config } from '../../core/config/config.js';
import { partitionOfKey } from '../../kafka/key-partition.js';
import type { KafkaAdmin, KafkaClient, KafkaConsumer, KafkaRecord } from '../../kafka/port.js';
import { scanRanges, type PartitionRange } from '../../kafka/reading/scan-topic.js';
import { Outbox, OUTBOX_DEFAULTS } from '../../kafka/sending/outbox.js';
import type { KafkaProducer } from '../../kafka/port.js';
import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import { decodeReply, encodeRequest } from '../../schemas/framing/single-object.js';
import type { InferenceReply, InferenceRequest } from '../../schemas/generated.js';
import { correlationOf, replyTo } from '../../schemas/headers/reply-dialects.js';
import { Overloaded } from '../inference/problem.js';
import type { DeferredId } from './deferred-id.js';

const SESSION_TIMEOUT_MS = 10_000;
const SCAN_LIMIT_MS = 15_000;
/** Offsets that one look-up reads; a long partition takes several. */
const MAX_SCANNED = 20_000;
/** Look-ups at a time; each reads a partition. */
const MAX_SCANS = 32;
/** Replies whose position is remembered. */
const MAX_POSITIONS = 10_000;

/** A reply on the deferred topic. */
export interface DeferredReply {
  readonly offset: number;
  readonly correlation: string;
  readonly reply: InferenceReply;
}

/** A deferred request: its reply, or the offset before which there is none. */
export type DeferredState = { readonly reply: InferenceReply } | { readonly from: number };

/**
 * Requests whose replies nobody waits for: they stay on a topic of their own until its retention ends, where any
 * gateway finds them.
 */
export class DeferredReplies {
  readonly #topic: string;
  readonly #producer: KafkaProducer;
  readonly #admin: KafkaAdmin;
  readonly #outbox: Outbox;
  /** Offsets before which replies are not, by correlation id: only a shortcut for callers that ask again. */
  readonly #positions = new Map<string, number>();
  #scans = 0;

  constructor(
    readonly config: Config,
    readonly kafka: KafkaClient,
    readonly maxScanned = MAX_SCANNED,
  ) {
    this.#topic = topicNames(config.prefix).deferredReplies;
    this.#producer = kafka.producer();
    this.#admin = kafka.admin();
    this.#outbox = new Outbox(this.#producer, { ...OUTBOX_DEFAULTS, retryLimitMs: config.gatewayTimeoutMs });
  }

  /** @throws KafkaError if the cluster cannot be reached */
  async open(): Promise<void> {
    await Promise.all([this.#producer.connect(), this.#admin.connect()]);
  }

  /**
   * Sends a request. Resolves once the broker has it.
   * @param stream name of the stream that the reply belongs to; without it, the reply is addressed by its id only
   * @throws KafkaError if it could not be sent
   */
  async send(
    request: InferenceRequest,
    stream: string | undefined,
    headers: Readonly<Record<string, Buffer>>,
  ): Promise<DeferredId> {
    const correlation = randomUUID();
    const key = Buffer.from(stream ?? correlation);
    const { partition, end } = await this.#partitionOf(key);
    const value = encodeRequest(request.id === '' ? { ...request, id: correlation } : request);
    if (value.length > this.config.maxRecordBytes)
      throw new PartituraError(
        'REQUEST_TOO_LARGE',
        `request: expected at most ${this.config.maxRecordBytes} bytes, got ${value.length}`,
      );
    const topic = topicNames(this.config.prefix).requests(request.model);
    const record = {
      topic,
      key,
      value,
      headers: { ...headers, ...replyTo(this.#topic, partition, correlation) },
    };
    await new Promise<void>((resolve, reject) =>
      this.#outbox.push(record, { delivered: resolve, failed: reject }),
    );
    return { partition, from: end, correlation };
  }

  /**
   * Looks for a reply. A look-up reads a part of the partition only; the next one, with the offset that this one returns
   * or at this gateway, continues.
   * @throws PartituraError INVALID_REQUEST for an unknown partition, Overloaded beyond the number of look-ups at a time
   */
  async find(id: DeferredId): Promise<DeferredState> {
    if (this.#scans >= MAX_SCANS)
      throw new Overloaded(`expected at most ${MAX_SCANS} look-ups of replies at a time, got one more`, 1);
    this.#scans++;
    try {
      return await this.#look(id);
    } finally {
      this.#scans--;
    }
  }

  async #look({ partition, from, correlation }: DeferredId): Promise<DeferredState> {
    const range = (await this.#admin.offsets(this.#topic)).find((one) => one.partition === partition);
    if (!range) throw invalidRequest(`deferred request: unknown partition ${partition}`);
    const start = Math.max(from, range.start, this.#positions.get(correlation) ?? 0);
    const end = Math.min(range.end, start + this.maxScanned);
    const found = await this.#scan({ partition, start, end }, correlation);
    this.#remember(correlation, found ? found.offset : Math.max(start, end));
    return found?.value ? { reply: readReply(found.value) } : { from: Math.max(start, end) };
  }

  async #scan(range: PartitionRange, correlation: string): Promise<KafkaRecord | undefined> {
    let found: KafkaRecord | undefined;
    const stop = new AbortController();
    await scanRanges(this.kafka, this.#topic, [range], {
      limitMs: SCAN_LIMIT_MS,
      fetchMaxBytes: this.config.fetchMaxBytes,
      groupPrefix: `${this.#topic}.`,
      signal: stop.signal,
      onRecords: (records) => {
        found ??= records.find(
          ({ headers, value }) => value !== null && correlationOf(headers) === correlation,
        );
        if (found) stop.abort();
      },
    });
    return found;
  }

  #remember(correlation: string, position: number): void {
    this.#positions.delete(correlation);
    this.#positions.set(correlation, position);
    const [oldest] = this.#positions.keys();
    if (this.#positions.size > MAX_POSITIONS && oldest !== undefined) this.#positions.delete(oldest);
  }

  /**
   * Follows the replies of a stream.
   * @param after offset of the last reply that the caller has; undefined to begin with the next one
   * @returns a function that ends it
   */
  async follow(
    stream: string,
    after: number | undefined,
    onReply: (reply: DeferredReply) => Promise<void>,
    onEnd: (error: Error) => void,
  ): Promise<() => Promise<void>> {
    const key = Buffer.from(stream);
    const { partition, end } = await this.#partitionOf(key);
    const consumer: KafkaConsumer = this.kafka.consumer({
      group: `${this.#topic}.${randomUUID()}`,
      topic: this.#topic,
      from: 'latest',
      partitions: [partition],
      offsets: new Map([[partition, after === undefined ? end : after + 1]]),
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      fetchMaxBytes: this.config.fetchMaxBytes,
    });
    await consumer.start({
      onRecords: async (records) => {
        for (const record of records) if (record.key?.equals(key)) await deliver(record, onReply);
      },
      onAssigned: () => undefined,
      onRevoked: () => Promise.resolve(),
      onCrash: onEnd,
    });
    return () => consumer.close();
  }

  async #partitionOf(key: Buffer): Promise<{ readonly partition: number; readonly end: number }> {
    const partitions = await this.#admin.offsets(this.#topic);
    const partition = partitionOfKey(key, partitions.length);
    return { partition, end: partitions.find((one) => one.partition === partition)?.end ?? 0 };
  }

  async close(): Promise<void> {
    await this.#outbox.close();
    await Promise.allSettled([this.#producer.close(), this.#admin.close()]);
  }
}

async function deliver(
  { offset, headers, value }: KafkaRecord,
  onReply: (reply: DeferredReply) => Promise<void>,
): Promise<void> {
  const correlation = correlationOf(headers);
  if (value && correlation !== undefined) await onReply({ offset, correlation, reply: readReply(value) });
}

/** Reads a reply; anybody may have written to the topic, and an unreadable record must not end a stream. */
function readReply(value: Buffer): InferenceReply {
  try {
    return decodeReply(value);
  } catch {
    const message = 'reply: expected an InferenceReply, got other bytes';
    const error = { code: 'DECODE_FAILED', message, retryable: false };
    return { id: '', model: '', modelVersion: null, outputs: [], error, node: null, timing: null };
  }
}
