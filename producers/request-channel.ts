import { randomInt, randomUUID } from 'node:crypto';
import { ensureTopics } from '../cluster/ensure-topics.js';
import { checkRecordLimits } from '../cluster/record-limits.js';
import { clusterTopics } from '../cluster/topic-specs.js';
import { topicNames, type TopicNames } from '../cluster/topics.js';
import type { Config } from '../core/config/config.js';
import type { Logger } from '../core/log.js';
import type { KafkaClient, KafkaConsumer, KafkaProducer, KafkaRecord } from '../kafka/port.js';
import { Outbox, OUTBOX_DEFAULTS } from '../kafka/sending/outbox.js';
import { PartituraError } from '../schemas/errors.js';
import { decodeReply, encodeRequest } from '../schemas/framing/single-object.js';
import type { InferenceReply, InferenceRequest } from '../schemas/generated.js';
import { correlationOf, replyTo } from '../schemas/headers/reply-dialects.js';
import { Cancellations } from './cancellations.js';
import { NoReplyError } from './no-reply-error.js';
import type { PartitionChooser } from './partition-chooser.js';
import { unreadable, unsent, unwritable } from './problems.js';
import { ReplyRouter, type RequestSignal } from './reply-router.js';
import { RequestDelivery } from './request-delivery.js';
import { sendSpan } from './send-span.js';

export interface RequestOptions {
  /** Time to wait for the reply, milliseconds. */
  readonly timeoutMs: number;
  /** Requests with the same key are answered in order. */
  readonly key?: string | undefined;
  readonly signal?: RequestSignal | undefined;
  /** Further headers of the record, such as `traceparent`. */
  readonly headers?: Readonly<Record<string, Buffer>> | undefined;
}

export interface ChannelOptions {
  /** Time for which unsent requests are retried, milliseconds. */
  readonly retryLimitMs: number;
  /** Maximum number of pending requests; more are refused as OVERLOADED. */
  readonly maxInflight: number;
  /** Chooses partitions for requests without a key; without it they are spread evenly. */
  readonly chooser?: PartitionChooser;
  /** Called if replies can no longer be read, so that every request fails. */
  readonly onClosed?: (error: Error) => void;
}

const SESSION_TIMEOUT_MS = 10_000;
/** Time for which requests under load wait for others, milliseconds: longer batches, and fewer requests to the broker. */
const GATHER_MS = 2;

/**
 * A connection that sends requests and receives their replies. Replies arrive on one topic shared by all clients; each
 * channel reads one of its partitions, in a separate consumer group, so that channels come and go without triggering
 * rebalances for others.
 */
export class RequestChannel {
  readonly #router = new ReplyRouter<InferenceReply>();
  readonly #topics: TopicNames;
  readonly #producer: KafkaProducer;
  readonly #outbox: Outbox;
  readonly #cancellations: Cancellations;
  readonly #id = randomUUID();
  #count = 0;
  #consumer: KafkaConsumer | undefined;
  #partition = 0;

  constructor(
    readonly config: Config,
    readonly kafka: KafkaClient,
    readonly options: ChannelOptions,
    readonly log: Logger,
  ) {
    this.#topics = topicNames(config.prefix);
    this.#producer = kafka.producer();
    const { retryLimitMs } = this.options;
    this.#outbox = new Outbox(this.#producer, { ...OUTBOX_DEFAULTS, retryLimitMs, gatherMs: GATHER_MS });
    const { cancellations: topic } = this.#topics;
    this.#cancellations = new Cancellations({ producer: this.#producer, topic, log });
  }

  /** Connects and chooses a partition of the reply topic. @throws KafkaError if the cluster cannot be reached */
  async open(): Promise<void> {
    const topic = this.#topics.clientReplies;
    const partitions = await this.#prepareReplies(topic);
    this.#partition = randomInt(partitions);
    await this.#producer.connect().catch((error: unknown) => {
      throw unwritable(error);
    });
    this.#consumer = this.kafka.consumer({
      group: `${this.config.prefix}.client.${this.#id}`,
      topic,
      from: 'latest',
      partitions: [this.#partition],
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      fetchMaxBytes: this.config.fetchMaxBytes,
    });
    await this.#consumer
      .start({
        onRecords: (records) => this.#onReplies(records),
        onAssigned: () => undefined,
        onRevoked: () => Promise.resolve(),
        onCrash: (error) => {
          this.#router.close(
            new NoReplyError('closed', `the client can no longer read replies: ${error.message}`, {
              cause: error,
            }),
          );
          this.options.onClosed?.(error);
        },
      })
      .catch((error: unknown) => {
        throw unreadable(topic, error);
      });
  }

  async #prepareReplies(topic: string): Promise<number> {
    const admin = this.kafka.admin();
    await admin.connect();
    try {
      const [refused] = await ensureTopics(
        admin,
        clusterTopics(this.config).filter((spec) => spec.topic === topic),
      );
      if (refused) throw unreadable(topic, refused.error);
      await checkRecordLimits(admin, [topic], this.config.maxRecordBytes, this.log);
      return (await admin.partitionCount(topic)) ?? this.config.partitions;
    } finally {
      await admin.close();
    }
  }

  /** Number of requests waiting for their reply. */
  get inflight(): number {
    return this.#router.size;
  }

  /**
   * Sends a request and waits for its reply, which may be an error reply. A request without an id gets a generated one.
   * One that the caller abandons is not sent or, if it has been, cancelled.
   * @throws PartituraError OVERLOADED or REQUEST_TOO_LARGE for a request that is not sent
   * @throws NoReplyError if no reply arrived
   */
  async request(request: InferenceRequest, options: RequestOptions): Promise<InferenceReply> {
    this.#refuseOverload();
    const correlation = `${this.#id}-${this.#count++}`;
    const value = this.#encode(request.id === '' ? { ...request, id: correlation } : request);
    const answered = this.#router.expect(correlation, options.timeoutMs, options.signal);
    if (!this.#router.waits(correlation)) return answered;
    const choice =
      options.key === undefined ? this.options.chooser?.choose(request.model, rowsOf(request)) : undefined;
    const message = { correlation, value, partition: choice?.partition };
    const delivery = this.#send(request.model, message, options);
    try {
      return await answered;
    } catch (error) {
      if (delivery.begun && isAbandoned(error)) this.#cancellations.add(correlation);
      throw error;
    } finally {
      if (choice) this.options.chooser?.end(choice);
    }
  }

  #refuseOverload(): void {
    const { maxInflight } = this.options;
    if (this.#router.size < maxInflight) return;
    throw new PartituraError('OVERLOADED', `expected at most ${maxInflight} calls in flight, got one more`);
  }

  #encode(request: InferenceRequest): Buffer {
    const value = encodeRequest(request);
    const most = this.config.maxRecordBytes;
    if (value.length <= most) return value;
    throw new PartituraError(
      'REQUEST_TOO_LARGE',
      `request: expected at most ${most} bytes, got ${value.length}`,
    );
  }

  #send(model: string, { correlation, value, partition }: Message, options: RequestOptions): RequestDelivery {
    const { key: keyText } = options;
    const key = keyText === undefined ? null : Buffer.from(keyText);
    const topic = this.#topics.requests(model);
    const headers = {
      ...options.headers,
      ...replyTo(this.#topics.clientReplies, this.#partition, correlation),
    };
    const span = sendSpan(topic, correlation, value.length, headers);
    const delivery = new RequestDelivery(
      span,
      () => this.#router.waits(correlation),
      (cause) => this.#router.fail(correlation, unsent(topic, model, cause)),
    );
    this.#outbox.push({ topic, partition, key, value, headers }, delivery);
    return delivery;
  }

  #onReplies(records: readonly KafkaRecord[]): void {
    for (const { headers, value } of records) {
      const correlation = correlationOf(headers);
      if (correlation === undefined || value === null || !this.#router.waits(correlation)) continue;
      try {
        this.#router.deliver(correlation, decodeReply(value));
      } catch (error) {
        this.#router.fail(correlation, PartituraError.from(error));
      }
    }
  }

  /** Fails all pending calls, then disconnects. */
  async close(): Promise<void> {
    this.#router.close(new NoReplyError('closed', 'the client was closed'));
    await Promise.all([this.#outbox.close(), this.#cancellations.settled()]);
    await Promise.allSettled([this.#producer.close(), this.#consumer?.close()]);
  }
}

/** A request that is ready to be sent. */
interface Message {
  readonly correlation: string;
  readonly value: Buffer;
  /** Undefined for any. */
  readonly partition: number | undefined;
}

function rowsOf({ inputs: [first] }: InferenceRequest): number {
  return Math.max(1, first?.shape[0] ?? 1);
}

/** Recognizes a request that its caller aborted; after a timeout, the deadline ends it. */
function isAbandoned(error: unknown): boolean {
  return error instanceof NoReplyError && error.reason === 'aborted';
}
