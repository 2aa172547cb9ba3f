import { setMaxListeners } from 'node:events';
import { LiveNodes } from '../cluster/live-nodes.js';
import { checkConfig, type Config, type ConfigInput } from '../core/config/config.js';
import { createLogger, type Logger } from '../core/log.js';
import { createKafkaClient } from '../kafka/client.js';
import type { KafkaClient } from '../kafka/port.js';
import { statedError, invalidRequest } from '../schemas/errors.js';
import type { InferenceReply, InferenceRequest, Timing } from '../schemas/generated.js';
import { PartitionChooser } from './partition-chooser.js';
import { RequestChannel, type RequestOptions } from './request-channel.js';
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

/** A client of a Partitura cluster. */
export class PartituraClient {
  readonly #channel: RequestChannel;
  readonly #nodes: LiveNodes;

  /** Not for direct use; call `connect`. */
  constructor(
    readonly config: Config,
    kafka: KafkaClient,
    readonly options: ClientOptions,
    readonly log: Logger,
  ) {
    const retryLimitMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const maxInflight = options.maxInflight ?? DEFAULT_MAX_INFLIGHT;
    this.#nodes = new LiveNodes(kafka, config, log);
    const chooser = new PartitionChooser(this.#nodes, config.prefix);
    this.#channel = new RequestChannel(config, kafka, { retryLimitMs, maxInflight, chooser }, log);
  }

  /** Connects. @throws KafkaError if the cluster cannot be reached */
  async open(): Promise<void> {
    await this.#channel.open();
    // Requests do not wait for the directory of nodes: until it is read, and without the right to, they are spread evenly.
    this.#nodes.start().catch((error: unknown) => {
      this.log.debug({ err: error }, 'node directory cannot be read; spreading requests evenly');
    });
  }

  /** Number of calls waiting for their reply. */
  get inflight(): number {
    return this.#channel.inflight;
  }

  /**
   * Sends a request as it is and returns its reply, which may be an error reply: for programs that have tensors already,
   * such as gateways.
   * @throws PartituraError OVERLOADED or REQUEST_TOO_LARGE for a request that is not sent
   * @throws NoReplyError if no reply arrived
   */
  request(request: InferenceRequest, options: RequestOptions): Promise<InferenceReply> {
    checkTimes(options.timeoutMs, undefined);
    return this.#channel.request(request, options);
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
    const { key, signal } = options;
    const request = requestOf(model, inputs, options, timeoutMs);
    return toPrediction(await this.#channel.request(request, { timeoutMs, key, signal }));
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

  /** Fails all pending calls, then disconnects. */
  async close(): Promise<void> {
    await Promise.all([this.#channel.close(), this.#nodes.close()]);
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

function requestOf(
  model: string,
  inputs: Inputs,
  options: PredictOptions,
  timeoutMs: number,
): InferenceRequest {
  return {
    id: '',
    model,
    modelVersion: options.version ?? null,
    inputs: Object.entries(inputs).map(([name, input]) => toTensor(name, input)),
    outputs: [...(options.outputs ?? [])],
    parameters: { ...options.parameters },
    deadline: options.deadline?.getTime() ?? Date.now() + timeoutMs,
  };
}

function toPrediction({ id, model, modelVersion, outputs, error, node, timing }: InferenceReply): Prediction {
  if (error) throw statedError(error);
  const byName = Object.fromEntries(outputs.map((output) => [output.name, fromTensor(output)]));
  return { id, model, version: modelVersion, outputs: byName, node, timing };
}

function checkTimes(timeoutMs: number, deadline: Date | undefined): void {
  if (!Number.isFinite(timeoutMs) || timeoutMs < 0)
    throw invalidRequest(`timeoutMs: expected milliseconds, got ${timeoutMs}`);
  if (deadline && Number.isNaN(deadline.getTime()))
    throw invalidRequest('deadline: expected a date, got an invalid one');
}

/**
 * Derives a signal without a listener limit: every call in flight listens to it, which Node would report as a leak.
 */
function withoutListenerLimit(signal: AbortSignal): AbortSignal {
  const shared = AbortSignal.any([signal]);
  setMaxListeners(0, shared);
  return shared;
}
