import { randomUUID } from 'node:crypto';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { lacking } from '../../cluster/acls.js';
import type { Config } from '../../core/config/config.js';
import { ensureTopics } from '../../cluster/ensure-topics.js';
import { detectDialect } from '../../schemas/headers/reply-dialects.js';
import { Outbox, OUTBOX_DEFAULTS } from '../../kafka/sending/outbox.js';
import {
  KafkaError,
  type CommittedPosition,
  type KafkaAdmin,
  type KafkaClient,
  type KafkaProducer,
  type KafkaRecord,
  type TopicPartition,
} from '../../kafka/port.js';
import type { OutageLink } from '../../kafka/errors/outages.js';
import { nodeReadLimits } from '../../kafka/record-batches/read-limits.js';
import { RecordFit } from '../../kafka/sending/record-fit.js';
import { untilAvailable } from '../../kafka/errors/until-available.js';
import type { Logger } from '../../core/log.js';
import { clusterTopics, modelTopics } from '../../cluster/topic-specs.js';
import { checkRecordLimits } from '../../cluster/record-limits.js';
import { headersToPass } from '../../schemas/headers/reply-headers.js';
import { unlessAborted, within } from '../../core/time.js';
import { serveHealth, type HealthServer } from '../../core/telemetry.js';
import { replyTopicPolicy, topicNames, type TopicNames } from '../../cluster/topics.js';
import { PartituraError } from '../../schemas/errors.js';
import { SchemaRegistry } from '../../schemas/registry/client.js';
import type { NodeStatus } from '../../schemas/generated.js';
import { Admission, type Admitted } from '../requests/admission.js';
import { createEngine } from '../engine/index.js';
import type { Engine } from '../engine/engine.js';
import { Bindings } from '../bindings/bindings.js';
import { Heartbeat } from './heartbeat.js';
import { InFlight } from '../records/in-flight.js';
import { createNodeMetrics, type NodeMetrics } from '../records/metrics.js';
import { ModelCatalog } from '../models/catalog.js';
import type { BatchSurroundings } from '../models/served-version.js';
import { VerdictMemory } from '../models/verdict-memory.js';
import { Destinations } from '../requests/replies/destinations.js';
import { RegisteredSchemas } from '../requests/registered-schemas.js';
import type { Outcome } from '../requests/replies/outcome.js';
import { ReplyPublisher } from '../requests/replies/publisher.js';
import { NodeSweeper } from './node-sweeper.js';
import { RecordConsumer } from '../records/record-consumer.js';
import { NO_SPANS, type RecordSpans } from '../records/record-spans.js';
import { Requests, type RequestParts } from '../requests/requests.js';

/** What differs from the usual. */
export interface NodeOptions {
  readonly startEngine?: typeof createEngine;
  /** Follows records for OpenTelemetry; nobody does by default. */
  readonly spans?: RecordSpans;
  /** Ends the start; a node that has started is ended by `close`. */
  readonly signal?: AbortSignal | undefined;
}

type State = NodeStatus['state'];
type RequestConsumer = RecordConsumer<Admitted, Outcome>;

/** How long brokers that are there may take to answer a node that connects. */
const FIRST_ANSWER_MS = 1_000;
/** How much longer than draining it may take to commit and to leave the groups. */
const LEAVE_SLACK_MS = 2_000;
/** How much longer than draining the whole end of a node may take. */
const CLOSE_SLACK_MS = 10_000;

/**
 * One inference node: serves every model of its repository, sharing the requests with all other nodes of the
 * same groups. Made by `startNode`; its parts are wired here and nowhere else.
 */
export class InferenceNode {
  readonly id: string;
  readonly #startEngine: typeof createEngine;
  readonly #spans: RecordSpans;
  readonly #topics: TopicNames;
  readonly #consumers = new Map<string, RequestConsumer>();
  readonly #inFlight: InFlight;
  readonly #metrics: NodeMetrics;
  readonly #startedAt = Date.now();
  readonly #producer: KafkaProducer;
  readonly #admin: KafkaAdmin;
  readonly #destinations: Destinations;
  readonly #outbox: Outbox;
  readonly #recordFit: RecordFit;
  readonly #registry: SchemaRegistry | undefined;
  readonly #schemas: RegisteredSchemas | undefined;
  readonly #closing = new AbortController();
  readonly #outage: OutageLink;
  #state: State = 'STARTING';
  #engine: Engine | undefined;
  #catalog: ModelCatalog | undefined;
  #requestParts: RequestParts | undefined;
  #bindings: Bindings | undefined;
  #heartbeat: Heartbeat | undefined;
  readonly #sweeper: NodeSweeper;
  #health: HealthServer | undefined;
  #failure: Error | undefined;
  #closed: Promise<void> | undefined;
  #reportFailure: (error: Error) => void = () => undefined;

  /** Resolves with the reason when the node can't go on; it should then be closed and the process end. */
  readonly failed: Promise<Error>;

  constructor(
    readonly config: Config,
    readonly kafka: KafkaClient,
    readonly log: Logger,
    { startEngine = createEngine, spans = NO_SPANS }: NodeOptions = {},
  ) {
    this.#startEngine = startEngine;
    this.#spans = spans;
    this.id = config.nodeId ?? newNodeId();
    this.#topics = topicNames(config.prefix);
    this.#inFlight = new InFlight(config.maxInflightRequests, config.maxInflightBytes);
    this.#metrics = createNodeMetrics(this.#inFlight);
    this.#producer = kafka.producer();
    this.#admin = kafka.admin();
    this.#destinations = new Destinations(this.#admin, { probeTopic: this.#topics.nodes });
    this.#recordFit = new RecordFit(this.#admin);
    this.#outage = kafka.outages.link();
    const sending = { ...OUTBOX_DEFAULTS, retryLimitMs: Infinity, outage: kafka.outages.link() };
    this.#outbox = new Outbox(
      this.#producer,
      sending,
      Date.now,
      (topics) => this.#destinations.missing(topics),
      (record) => this.#recordFit.check(record),
    );
    const { prefix, fetchMaxBytes, nodeForgetMs: forgetMs } = config;
    const sweeping = { node: this.id, prefix, fetchMaxBytes, forgetMs };
    this.#sweeper = new NodeSweeper(kafka, this.#outbox, sweeping, log);
    const { schemaRegistryUrl: url, schemaRegistryUserInfo: userInfo } = config;
    this.#registry = url === undefined ? undefined : new SchemaRegistry(url, userInfo);
    this.#schemas = this.#registeredSchemas();
    this.failed = new Promise((resolve) => (this.#reportFailure = resolve));
  }

  /** Address of /metrics, /healthz and /readyz. */
  get healthUrl(): string | undefined {
    return this.#health?.url;
  }

  get models(): string[] {
    return this.#catalog?.models ?? [];
  }

  /**
   * Loads the models, joins their groups and resolves when requests are served. Brokers that are away are waited for;
   * `close` ends it at any time.
   */
  async start(): Promise<void> {
    this.#health = await this.#step(this.#serveHealth());
    const connect = (): Promise<unknown> => Promise.all([this.#producer.connect(), this.#admin.connect()]);
    await untilAvailable(connect, this.#outage, this.#closing.signal, FIRST_ANSWER_MS);
    await this.#untilAvailable(() => this.#ensureClusterTopics());
    this.#engine = await this.#step(this.#createEngine());
    this.#catalog = this.#createCatalog(this.#engine);
    this.#requestParts = this.#createRequestParts(this.#catalog);
    this.#heartbeat = new Heartbeat(this.#outbox, this.#topics.nodes, this.id, () => this.status(), this.log);
    this.#heartbeat.start();
    await this.#step(this.#catalog.start());
    if (this.#catalog.models.length === 0) throw this.#noModels();
    if (this.#consumers.size === 0) throw this.#nothingServed();
    await this.#startBindings((this.#bindings = this.#createBindings(this.#catalog)));
    this.#sweeper.start();
    this.#state = 'READY';
    this.#heartbeat.beat();
    this.log.info({ node: this.id, models: this.#catalog.models, health: this.#health.url }, 'node ready');
  }

  /** One step of the start, unless the node is being closed. */
  #step<T>(work: Promise<T>): Promise<T> {
    return unlessAborted(this.#closing.signal, work);
  }

  /** The same for a step that takes a broker. */
  #untilAvailable<T>(work: () => Promise<T>): Promise<T> {
    return untilAvailable(work, this.#outage, this.#closing.signal);
  }

  #serveHealth(): Promise<HealthServer> {
    const { httpHost, httpPort } = this.config;
    const { outages } = this.kafka;
    return serveHealth(httpHost, httpPort, this.#metrics.registry, {
      healthy: () => this.#failure === undefined,
      ready: () => this.#state === 'READY' && outages.current === undefined,
      details: () => ({
        node: this.id,
        state: this.#state,
        outage: outages.current ?? null,
        models: this.#catalog?.statuses ?? [],
      }),
    });
  }

  async #createEngine(): Promise<Engine> {
    const { config } = this;
    const engine = await this.#startEngine({
      threads: config.engineThreads,
      backend: config.engine,
      intraOpThreads: config.intraOpThreads,
      runTimeoutMs: config.runTimeoutMs,
      onError: (error) => this.log.error({ err: error }, 'engine'),
    });
    if (this.#closing.signal.aborted) await engine.close();
    return engine;
  }

  #registeredSchemas(): RegisteredSchemas | undefined {
    if (!this.#registry) return undefined;
    const { schemaRegistryAutoRegister: autoRegister } = this.config;
    return new RegisteredSchemas(this.#registry, { topics: this.#topics, autoRegister, log: this.log });
  }

  #noModels(): PartituraError {
    const reasons =
      this.#catalog?.statuses.map(({ model, version, message }) => `${model}/${version}: ${message}`) ?? [];
    const found = reasons.length === 0 ? 'found none' : reasons.join('; ');
    return new PartituraError(
      'MODEL_NOT_FOUND',
      `model repository '${this.config.models}': expected at least one model that loads, ${found}`,
    );
  }

  /** Starts the bindings; a node without the right to read them serves requests all the same. */
  async #startBindings(bindings: Bindings): Promise<void> {
    try {
      await this.#untilAvailable(() => bindings.start());
    } catch (error) {
      if (!(error instanceof KafkaError) || !isMissing(error)) throw error;
      const { bindings: topic } = this.#topics;
      const resource = /group/i.test(error.message) ? `group ${topic}.` : `topic ${topic}`;
      const reason = lacking('node-with-bindings', 'READ', resource, error.message);
      this.log.warn({ reason }, 'bindings cannot be read; requests are served without them');
    }
  }

  /** Topics that are not there and may not be created are somebody else's to create: what needs them says so. */
  async #ensureClusterTopics(): Promise<void> {
    for (const { topic, error } of await ensureTopics(this.#admin, clusterTopics(this.config)))
      this.log.debug({ topic, err: error }, 'topic cannot be created; it is expected to be there');
  }

  /** Replies and dead letters go where there is a topic; without one of requests there is nothing to serve. */
  async #ensureModelTopics(model: string): Promise<void> {
    const requests = this.#topics.requests(model);
    const refused = await ensureTopics(this.#admin, modelTopics(model, this.config));
    const cause = refused.find(({ topic }) => topic === requests)?.error;
    if (cause) throw new KafkaError('not-authorized', notThere(requests), { cause });
  }

  #nothingServed(): PartituraError {
    const problems = [...new Set(this.#catalog?.problems ?? [])];
    return new PartituraError('MODEL_NOT_READY', `no model can be served: ${problems.join('; ')}`);
  }

  #createCatalog(engine: Engine): ModelCatalog {
    const {
      models: root,
      versionPolicy: policy,
      repositoryPollMs: pollMs,
      maxBatchRows,
      maxBatchDelayMs,
      inlineMicros,
      batchCheckMs,
    } = this.config;
    const observe = (model: string, rows: number, computeMicros: number): void => {
      this.#metrics.batchSize.observe({ model }, rows);
      this.#metrics.computeSeconds.observe({ model }, computeMicros / 1e6);
    };
    const batching = { maxBatchRows, maxBatchDelayMs, inlineMicros, batchCheckMs };
    const options = { root, policy, pollMs, isFatal: isUnauthenticated, ...batching };
    const whenBelowLimit = (): Promise<void> | undefined =>
      this.#outbox.whenBelowLimit(this.config.maxInflightBytes);
    const verdicts = new VerdictMemory(this.config.cacheDir ?? defaultCacheFolder(), this.log);
    const onBatchCheck: BatchSurroundings['onBatchCheck'] = (version, result, reason) =>
      this.#noteBatchCheck(version, result, reason);
    const surroundings = { observe, whenBelowLimit, verdicts, onBatchCheck };
    return new ModelCatalog(engine, options, this.log, surroundings, (model) => this.#follow(model));
  }

  #noteBatchCheck(
    ...[{ model, version, signatureNames }, result, reason]: Parameters<BatchSurroundings['onBatchCheck']>
  ): void {
    const signature = signatureNames?.loaded;
    this.#metrics.batchChecks.inc({ model, result });
    if (result === 'equal') return;
    if (result === 'failed')
      return this.log.debug(
        { model, version, signature, reason },
        'rows of a batch could not be computed alone; not compared',
      );
    this.log.error(
      { model, version, signature, reason },
      'batched answers differ from unbatched ones; batching is off for this version',
    );
    this.#heartbeat?.beat();
  }

  #createRequestParts(catalog: ModelCatalog): RequestParts {
    const { config } = this;
    const admission = new Admission(catalog, {
      node: this.id,
      maxRecordBytes: config.maxRecordBytes,
      isReplyTopicAllowed: replyTopicPolicy(config.replyTopics, this.#topics.own),
      schemas: this.#schemas,
      now: Date.now,
    });
    const publisher = new ReplyPublisher(this.#outbox, {
      topics: this.#topics,
      node: this.id,
      spans: this.#spans,
      maxRecordBytes: config.maxRecordBytes,
      passHeaders: headersToPass(config.replyHeaders),
      deadLetterHeaders: config.deadLetterHeaders,
      onStuck: (error) => this.#fail(error),
      onTopicRefused: (topic, reason) => this.#destinations.refuse(topic, reason),
      onDeadLetter: (reason, record, message) => this.#noteDeadLetter(reason, record, message),
    });
    const destinations = this.#destinations;
    const { id: node } = this;
    return { node, admission, publisher, destinations, schemas: this.#schemas, now: Date.now };
  }

  #createBindings(catalog: ModelCatalog): Bindings {
    const parts = {
      node: this.id,
      config: this.config,
      kafka: this.kafka,
      admin: this.#admin,
      topics: this.#topics,
      outbox: this.#outbox,
      recordFit: this.#recordFit,
      catalog,
      registry: this.#registry,
      inFlight: this.#inFlight,
      metrics: this.#metrics,
      spans: this.#spans,
      log: this.log,
      onDeadLetter: (reason: string, record: KafkaRecord, message: string) =>
        this.#noteDeadLetter(reason, record, message),
      onChange: () => this.#heartbeat?.beat(),
    };
    return new Bindings(parts, (error) => this.#fail(error));
  }

  #noteDeadLetter(reason: string, record: KafkaRecord, message: string): void {
    const { topic, partition, offset, headers } = record;
    const correlation = detectDialect(headers).read(headers).correlation?.toString('utf8');
    this.#metrics.deadLetters.inc({ reason });
    this.log.warn({ topic, partition, offset, correlation, reason, message }, 'dead letter');
  }

  /** Consumes a model's requests exactly while a version of it is available. */
  async #follow(model: string): Promise<void> {
    if (this.#state === 'DRAINING') return;
    const offered = this.#catalog?.models.includes(model) ?? false;
    const consumer = this.#consumers.get(model);
    if (offered && !consumer) await this.#consume(model);
    if (!offered && consumer) {
      this.#consumers.delete(model);
      await consumer.close();
    }
    this.#bindings?.onModel(model);
    this.#heartbeat?.beat();
  }

  async #consume(model: string): Promise<void> {
    const { config } = this;
    const topics = modelTopics(model, config);
    await this.#untilAvailable(() => this.#ensureModelTopics(model));
    const names = topics.map(({ topic }) => topic);
    await this.#step(checkRecordLimits(this.#admin, names, config.maxRecordBytes, this.log));
    this.#schemas?.announce(model);
    await this.#untilAvailable(() => this.#startConsumer(model));
  }

  async #startConsumer(model: string): Promise<void> {
    const { config } = this;
    const group = this.#topics.group(model);
    const kafkaConsumer = this.kafka.consumer({
      group,
      topic: this.#topics.requests(model),
      from: 'earliest',
      sessionTimeoutMs: config.sessionTimeoutMs,
      fetchMaxBytes: config.fetchMaxBytes,
      readLimits: nodeReadLimits(config),
      instanceId: config.kafkaInstanceId,
      groupProtocol: config.kafkaGroupProtocol,
    });
    const { ordered, commitIntervalMs, drainTimeoutMs } = config;
    const options = {
      model,
      group,
      ordered,
      commitIntervalMs,
      drainTimeoutMs,
      now: Date.now,
      onStopped: (error: Error) => this.#fail(error),
    };
    if (!this.#requestParts) throw new PartituraError('INTERNAL', 'a node consumes only once it is started');
    this.#closing.signal.throwIfAborted();
    const inFlight = this.#inFlight.share();
    const handling = new Requests(model, this.#requestParts);
    const readPositions = (): Promise<CommittedPosition[]> =>
      this.#admin.committed(group, this.#topics.requests(model));
    const parts = { inFlight, readPositions, metrics: this.#metrics, spans: this.#spans, log: this.log };
    const consumer = new RecordConsumer(kafkaConsumer, handling, options, parts);
    this.#consumers.set(model, consumer);
    try {
      await consumer.start();
    } catch (cause) {
      this.#consumers.delete(model);
      inFlight.end();
      throw this.#cannotConsume(cause, group, model);
    }
  }

  #cannotConsume(cause: unknown, group: string, model: string): unknown {
    if (!(cause instanceof KafkaError) || cause.kind !== 'not-authorized') return cause;
    const topic = `topic ${this.#topics.requests(model)}`;
    const resource = /group/i.test(cause.message) ? `group ${group}` : topic;
    return new KafkaError(cause.kind, lacking('node', 'READ', resource, cause.message), { cause });
  }

  status(): NodeStatus {
    return {
      node: this.id,
      host: hostname(),
      startedAt: this.#startedAt,
      beatAt: Date.now(),
      state: this.#state,
      models: this.#catalog?.statuses ?? [],
      partitions: this.#owned().map(({ topic, partition }) => ({ topic, partition })),
      bindings: this.#bindings?.statuses ?? [],
      inflightRequests: this.#inFlight.requests,
      inflightBytes: this.#inFlight.bytes,
      serviceMicros: this.#catalog?.microsPerRow ?? 0,
      capacityRequests: this.config.maxInflightRequests,
      skippedFolders: this.#catalog?.skippedFolders ?? [],
    };
  }

  #owned(): TopicPartition[] {
    return [...[...this.#consumers.values()].flatMap(({ owned }) => owned), ...(this.#bindings?.owned ?? [])];
  }

  #fail(error: Error): void {
    if (this.#failure || this.#closed) return;
    this.#failure = error;
    this.log.fatal(
      { err: error },
      'node is stopping after a fatal error; unanswered records will be redelivered to other nodes',
    );
    this.#reportFailure(error);
  }

  /** Ends a start that is under way; finishes what is under way, commits, leaves the groups and frees everything. */
  close(): Promise<void> {
    this.#closed ??= within(
      this.config.drainTimeoutMs + CLOSE_SLACK_MS,
      this.#close(),
      () => new Error('the node did not close in time'),
    );
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#state = 'DRAINING';
    this.#closing.abort(new Error('the node is being closed'));
    this.#heartbeat?.beat();
    await this.#leaveGroups();
    this.#schemas?.close();
    this.#destinations.close();
    await this.#heartbeat?.stop();
    const sent = this.#outbox.close();
    await Promise.allSettled([this.#producer.close(), this.#admin.close()]);
    await sent;
    await this.#engine?.close();
    await this.#health?.close();
    this.log.info({ node: this.id }, 'node stopped');
  }

  /** Leaves all groups; unfinished records are left to the next owners of their partitions. */
  async #leaveGroups(): Promise<void> {
    const consumers = [...this.#consumers.values()].map((consumer) => consumer.close());
    const others = [this.#bindings?.close(), this.#catalog?.close(), this.#sweeper.close()];
    const left = Promise.all([...consumers, ...others]);
    const limitMs = this.config.drainTimeoutMs + LEAVE_SLACK_MS;
    const late = (): Error => new Error(`the groups could not be left within ${limitMs} ms`);
    await within(limitMs, left, late).catch((error: unknown) => {
      this.log.warn(
        { err: error },
        'groups were not left in good order; their partitions wait for the session timeout',
      );
    });
  }
}

function defaultCacheFolder(): string {
  return join(homedir(), '.cache', 'partitura');
}

function isMissing({ kind }: KafkaError): boolean {
  return kind === 'not-authorized' || kind === 'unknown-topic';
}

function notThere(topic: string): string {
  return lacking(
    'node',
    'READ',
    `topic ${topic}`,
    'it does not exist and may not be created, or may not be seen',
  );
}

/** A name for a node that was given none. */
export function newNodeId(): string {
  return `node-${randomUUID().slice(0, 8)}`;
}

/**
 * Starts a node; when that fails or is aborted, what was already started is ended again.
 * @throws PartituraError or KafkaError with the reason
 */
export async function startNode(
  config: Config,
  kafka: KafkaClient,
  log: Logger,
  options: NodeOptions = {},
): Promise<InferenceNode> {
  const node = new InferenceNode(config, kafka, log, options);
  const stop = (): void => void node.close().catch(() => undefined);
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    options.signal?.throwIfAborted();
    await node.start();
    return node;
  } catch (error) {
    await node.close().catch(() => undefined);
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', stop);
  }
}

/** No login works, for any model. */
function isUnauthenticated(cause: unknown): boolean {
  return cause instanceof KafkaError && cause.kind === 'unauthenticated';
}
