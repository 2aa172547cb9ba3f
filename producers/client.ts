import { setMaxListeners } from 'node:events';
import { randomInt, randomUUID } from 'node:crypto';
import { lacking } from '../cluster/acls.js';
import { checkConfig, type Config, type ConfigInput } from '../core/config/config.js';
import { ensureTopics } from '../cluster/ensure-topics.js';
import { correlationOf, replyTo } from '../schemas/headers/reply-dialects.js';
import { createKafkaClient } from '../kafka/client.js';
import { Outbox, OUTBOX_DEFAULTS } from '../kafka/sending/outbox.js';
import {
  KafkaError,
  type KafkaClient,
  type KafkaConsumer,
  type KafkaProducer,
  type KafkaRecord,
} from '../kafka/port.js';
import { createLogger, type Logger } from '../core/log.js';
import { clusterTopics } from '../cluster/topic-specs.js';
import { checkRecordLimits } from '../cluster/record-limits.js';
import { topicNames, type TopicNames } from '../cluster/topics.js';
import { PartituraError, isErrorCode } from '../schemas/errors.js';
import { decodeReply, encodeRequest } from '../schemas/framing/single-object.js';
import type { InferenceReply, InferenceRequest, Timing } from '../schemas/generated.js';
import { NoReplyError } from './no-reply-error.js';
import { ReplyRouter } from './reply-router.js';
import { endFailed, sendSpan } from './send-span.js';
import { fromTensor, toTensor, type InputTensor, type OutputTensor } from './tensors.js';

export interface ClientOptions extends ConfigInput {
  /** Default timeout of a call in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /** Maximum number of pending calls; further ones are refused as OVERLOADED. Default 10,000. */
  readonly maxInflight?: number;
}

export interface PredictOptions {
  /** Timeout for the reply in milliseconds; also the request's deadline unless `deadline` is given. */
  readonly timeoutMs?: number;
  /** Time after which nodes refuse the request rather than compute it. */
  readonly deadline?: Date;
  /** Requests with the same key are answered in order. */
  readonly key?: string;
  readonly signal?: AbortSignal;
  /** Version of the model. Default: the one selected by the cluster's policy. */
  readonly version?: string;
  /** Names of the requested outputs. Default: all. */
  readonly outputs?: readonly string[];
  readonly parameters?: Readonly<Record<string, string>>;
}

export interface Prediction {
  readonly id: string;
  readonly model: string;
  readonly version: string | null;
  readonly outputs: Readonly<Record<string, OutputTensor>>;
  /** Name of the node that answered. */
  readonly node: string | null;
  readonly timing: Timing | null;
}

/** Result of one element of `predictMany`: either a prediction or an error. */
export type Attempt =
  | { readonly index: number; readonly prediction: Prediction }
  | { readonly index: number; readonly error: Error };

export interface StreamOptions extends PredictOptions {
  /** Maximum number of requests in flight. Default 256. */
  readonly maxInflight?: number;
  /** Called for each attempt when it settles, possibly before the attempt is yielded. */
  readonly onSettled?: (attempt: Attempt) => void;
}

export type Inputs = Readonly<Record<string, InputTensor>>;

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_INFLIGHT = 10_000;
const SESSION_TIMEOUT_MS = 10_000;

/**
 * A client of a Partitura cluster. Replies arrive on one topic shared by all clients; each client reads one of its
 * partitions, in a separate consumer group, so that clients come and go without triggering rebalances for others.
 */
export class PartituraClient {
  readonly #router = new ReplyRouter<InferenceReply>();
  readonly #topics: TopicNames;
  readonly #producer: KafkaProducer;
  readonly #outbox: Outbox;
  readonly #id = randomUUID();
  #count = 0;
  #consumer: KafkaConsumer | undefined;
  #partition = 0;

  /** Not for direct use; call `connect`. */
  constructor(
    readonly config: Config,
    readonly kafka: KafkaClient,
    readonly options: ClientOptions,
    readonly log: Logger,
  ) {
    this.#topics = topicNames(config.prefix);
    this.#producer = kafka.producer();
    this.#outbox = new Outbox(this.#producer, {
      ...OUTBOX_DEFAULTS,
      retryLimitMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    });
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
        onCrash: (error) =>
          this.#router.close(
            new NoReplyError('closed', `the client can no longer read replies: ${error.message}`, {
              cause: error,
            }),
          ),
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

  /** Number of calls waiting for their reply. */
  get inflight(): number {
    return this.#router.size;
  }

  /**
   * Requests a prediction from the cluster.
   * @param inputs tensors by name; the first dimension of each is the batch dimension
   * @throws PartituraError if the request is refused, by the client or by a node, with a code that states the reason
   * @throws NoReplyError if no reply arrived
   */
  async predict(model: string, inputs: Inputs, options: PredictOptions = {}): Promise<Prediction> {
    const timeoutMs = options.timeoutMs ?? this.options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    checkTimes(timeoutMs, options.deadline);
    this.#refuseOverload();
    const request = this.#request(model, inputs, options, timeoutMs);
    const value = this.#encode(request);
    const answered = this.#router.expect(request.id, timeoutMs, options.signal);
    if (this.#router.waits(request.id)) this.#send(model, request.id, value, options.key);
    return toPrediction(await answered);
  }

  #send(model: string, id: string, value: Buffer, keyText: string | undefined): void {
    const key = keyText === undefined ? null : Buffer.from(keyText);
    const topic = this.#topics.requests(model);
    const headers = replyTo(this.#topics.clientReplies, this.#partition, id);
    const span = sendSpan(topic, id, value.length, headers);
    this.#outbox.push(
      { topic, key, value, headers },
      {
        delivered: () => span.end(),
        failed: (cause) => {
          endFailed(span, cause);
          this.#router.fail(id, unsent(topic, model, cause));
        },
      },
    );
  }

  /**
   * Requests many predictions, with at most `maxInflight` in flight; reads from `source` only as replies arrive.
   * Yields one attempt per element, in the order of `source`; a failed attempt does not end the others.
   */
  async *predictMany(
    model: string,
    source: Iterable<Inputs> | AsyncIterable<Inputs>,
    options: StreamOptions = {},
  ): AsyncGenerator<Attempt> {
    const { maxInflight = 256, onSettled, signal, ...rest } = options;
    const predictOptions = signal ? { ...rest, signal: withoutListenerLimit(signal) } : rest;
    const window: Promise<Attempt>[] = [];
    let index = 0;
    for await (const inputs of source) {
      const attempt = this.#attempt(index++, model, inputs, predictOptions);
      if (onSettled) void attempt.then(onSettled);
      window.push(attempt);
      if (window.length >= maxInflight) yield (await window.shift()) as Attempt;
    }
    for (const attempt of window) yield await attempt;
  }

  #attempt(index: number, model: string, inputs: Inputs, options: PredictOptions): Promise<Attempt> {
    return this.predict(model, inputs, options).then(
      (prediction) => ({ index, prediction }),
      (cause: unknown) => ({ index, error: cause instanceof Error ? cause : new Error(String(cause)) }),
    );
  }

  #refuseOverload(): void {
    const most = this.options.maxInflight ?? DEFAULT_MAX_INFLIGHT;
    if (this.#router.size < most) return;
    throw new PartituraError('OVERLOADED', `expected at most ${most} calls in flight, got one more`);
  }

  #request(model: string, inputs: Inputs, options: PredictOptions, timeoutMs: number): InferenceRequest {
    return {
      id: `${this.#id}-${this.#count++}`,
      model,
      modelVersion: options.version ?? null,
      inputs: Object.entries(inputs).map(([name, input]) => toTensor(name, input)),
      outputs: [...(options.outputs ?? [])],
      parameters: { ...options.parameters },
      deadline: options.deadline?.getTime() ?? Date.now() + timeoutMs,
    };
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
    await this.#outbox.close();
    await Promise.allSettled([this.#producer.close(), this.#consumer?.close()]);
  }
}

/**
 * Connects to a cluster.
 * @param options overrides of the defaults, above all `brokers`
 * @throws PartituraError INVALID_REQUEST for invalid options, KafkaError if the cluster cannot be reached
 */
export async function connect(
  options: ClientOptions = {},
  log: Logger = createLogger('partitura-client', 'error'),
): Promise<PartituraClient> {
  const config = checkConfig(options);
  const client = new PartituraClient(
    config,
    createKafkaClient(config, 'partitura-client', log),
    options,
    log,
  );
  try {
    await client.open();
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

function toPrediction({ id, model, modelVersion, outputs, error, node, timing }: InferenceReply): Prediction {
  if (error) {
    const code = isErrorCode(error.code) ? error.code : 'INTERNAL';
    throw new PartituraError(code, error.message, { retryable: error.retryable });
  }
  const byName = Object.fromEntries(outputs.map((output) => [output.name, fromTensor(output)]));
  return { id, model, version: modelVersion, outputs: byName, node, timing };
}

/** Describes the missing permission if that is the reason why replies cannot be read. */
function unreadable(topic: string, cause: unknown): unknown {
  if (!(cause instanceof KafkaError) || cause.kind !== 'not-authorized') return cause;
  const resource = /group/i.test(cause.message) ? 'its group' : `topic ${topic}`;
  return new KafkaError(cause.kind, lacking('client', 'READ', resource, cause.message), { cause });
}

/**
 * Describes the missing permission for connecting: some clients initialize a producer id then, which requires WRITE
 * on a topic.
 */
function unwritable(cause: unknown): unknown {
  if (!(cause instanceof KafkaError) || cause.kind !== 'not-authorized') return cause;
  const sentence = lacking('client', 'WRITE', 'a request topic', cause.message);
  return new KafkaError(cause.kind, sentence, { cause });
}

function unsent(topic: string, model: string, cause: KafkaError): Error {
  const missing =
    cause.kind === 'unknown-topic'
      ? `no topic for model '${model}': is the model served by this cluster?`
      : cause.kind === 'not-authorized'
        ? lacking('client', 'WRITE', `topic ${topic}`, cause.message)
        : cause.message;
  return new NoReplyError('unsent', `the request could not be sent: ${missing}`, { cause });
}

function checkTimes(timeoutMs: number, deadline: Date | undefined): void {
  if (!Number.isFinite(timeoutMs) || timeoutMs < 0)
    throw new PartituraError('INVALID_REQUEST', `timeoutMs: expected milliseconds, got ${timeoutMs}`);
  if (deadline && Number.isNaN(deadline.getTime()))
    throw new PartituraError('INVALID_REQUEST', 'deadline: expected a date, got an invalid one');
}

/**
 * Derives a signal without a listener limit: every call in flight listens to it, which Node would report as a leak.
 */
function withoutListenerLimit(signal: AbortSignal): AbortSignal {
  const shared = AbortSignal.any([signal]);
  setMaxListeners(0, shared);
  return shared;
}
