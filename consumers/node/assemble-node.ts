import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LiveDirectives } from '../../cluster/control/live-directives.js';
import { replyTopicPolicy } from '../../cluster/topics.js';
import type { Config } from '../../core/config/config.js';
import type { Logger } from '../../core/log.js';
import { serveHealth, type HealthServer } from '../../core/telemetry.js';
import { KafkaError, type KafkaClient } from '../../kafka/port.js';
import type { NodeStatus } from '../../schemas/generated.js';
import { Bindings } from '../bindings/bindings.js';
import type { BindingParts } from '../bindings/start-binding.js';
import type { Engine } from '../engine/engine.js';
import { createEngine } from '../engine/index.js';
import { ModelCatalog, type CatalogOptions } from '../models/catalog.js';
import type { BatchDefaults, BatchSurroundings } from '../models/served-version.js';
import { VerdictCache } from '../models/verdict-cache.js';
import { NO_SPANS, type RecordSpans } from '../records/record-spans.js';
import { CancelledRequests } from '../requests/cancelled-requests.js';
import { Admission } from '../requests/admission.js';
import type { RequestParts } from '../requests/requests.js';
import { tailCancellations } from './follow-cancellations.js';
import { createFoundation, noteDeadLetter, type Foundation } from './foundation.js';
import { Heartbeat } from './heartbeat.js';
import { ModelConsumers } from './model-consumers.js';
import { NodeSweeper } from './node-sweeper.js';
import { InferenceNode } from './node.js';
import { createReplyPublisher } from './reply-publisher.js';

/** Tasks of the kinds of jobs that come with Partitura. */
const BUILT_IN_TASKS = fileURLToPath(new URL('../../../tasks', import.meta.url));

/** Overrides for tests, benchmarks and tracing. */
export interface NodeOptions {
  readonly startEngine?: typeof createEngine;
  /** Traces records with OpenTelemetry; off by default. */
  readonly spans?: RecordSpans;
  /** Ends a start that is in progress; a started node is ended by `close`. */
  readonly signal?: AbortSignal | undefined;
}

/** Creates a node with all its parts. It connects to nothing until it is started, except that its health server listens. */
export async function assembleNode(
  config: Config,
  kafka: KafkaClient,
  log: Logger,
  { startEngine = createEngine, spans = NO_SPANS }: NodeOptions = {},
): Promise<InferenceNode> {
  const foundation = createFoundation(config, kafka, log, spans);
  const engine = await startEngine(engineOptions(config, log));
  // These parts call each other: by the time one of them calls, all of them exist.
  const beat = (): void => heartbeat.beat();
  const directives = new LiveDirectives(kafka, config, log);
  const catalog = createCatalog(foundation, engine, beat, {
    onChange: (model) => followModel(model),
    policyOf: policyFrom(directives, foundation),
    policyRevision: () => directives.position,
    onApplied: beat,
  });
  const cancelled = new CancelledRequests(Date.now);
  const cancellations = tailCancellations(foundation, cancelled);
  const requests = createRequestParts(foundation, catalog, cancelled);
  const consumers = new ModelConsumers(foundation, requests, catalog);
  const bindings = createBindings(foundation, catalog, beat);
  const heartbeat = createHeartbeat(foundation, () => node.status());
  const sweeper = createSweeper(foundation);
  const health = await listen(foundation, catalog, engine);
  const control = { directives, cancellations };
  const serving = { engine, catalog, consumers, bindings };
  const node = new InferenceNode({ foundation, ...control, ...serving, heartbeat, sweeper, health });
  return node;

  async function followModel(model: string): Promise<void> {
    if (foundation.lifecycle.closing.aborted) return;
    await consumers.follow(model, catalog.models.includes(model));
    bindings.onModel(model);
    heartbeat.beat();
  }
}

/** Returns the version policy of models: the one of their directive, or the node's own. */
function policyFrom(directives: LiveDirectives, { id, config }: Foundation): CatalogOptions['policyOf'] {
  return (model) => {
    const { loaded, versionPolicy } = directives.model(model);
    return loaded && !directives.isDrained(id) ? (versionPolicy ?? config.versionPolicy) : undefined;
  };
}

function engineOptions(config: Config, log: Logger): Parameters<typeof createEngine>[0] {
  return {
    threads: config.engineThreads,
    backend: config.engine,
    intraOpThreads: config.intraOpThreads,
    runTimeoutMs: config.runTimeoutMs,
    onError: (error) => log.error({ err: error }, 'engine problem; recovering'),
  };
}

/** Serves health and metrics; the engine is closed if the port is taken. */
async function listen(
  { id, config, kafka, metrics, lifecycle }: Foundation,
  catalog: ModelCatalog,
  engine: Engine,
): Promise<HealthServer> {
  const { outages } = kafka;
  try {
    return await serveHealth(config.httpHost, config.httpPort, metrics.registry, {
      healthy: () => lifecycle.isHealthy,
      ready: () => lifecycle.state === 'READY' && outages.current === undefined,
      details: () => ({
        node: id,
        state: lifecycle.state,
        outage: outages.current ?? null,
        models: catalog.statuses,
      }),
    });
  } catch (error) {
    await engine.close();
    throw error;
  }
}

function createCatalog(
  foundation: Foundation,
  engine: Engine,
  beat: () => void,
  following: Pick<CatalogOptions, 'onChange' | 'onApplied' | 'policyOf' | 'policyRevision'>,
): ModelCatalog {
  const { config, log, metrics, outbox } = foundation;
  const { models: root, repositoryPollMs: pollMs } = config;
  const { maxBatchRows, maxBatchDelayMs, inlineMicros, batchCheckMs } = config;
  const batching: BatchDefaults = { maxBatchRows, maxBatchDelayMs, inlineMicros, batchCheckMs };
  const isFatal = (cause: unknown): boolean =>
    cause instanceof KafkaError && cause.kind === 'unauthenticated';
  const options = { ...batching, ...following, root, tasks: taskFolders(config), pollMs, isFatal };
  const surroundings: BatchSurroundings = {
    observe: (model, rows, computeMicros) => {
      metrics.batchSize.observe({ model }, rows);
      metrics.computeSeconds.observe({ model }, computeMicros / 1e6);
    },
    whenBelowLimit: () => outbox.whenBelowLimit(config.maxInflightBytes),
    verdicts: new VerdictCache(config.cacheDir ?? join(homedir(), '.cache', 'partitura'), log),
    onBatchCheck: noteBatchCheck(foundation, beat),
  };
  return new ModelCatalog(engine, options, log, surroundings);
}

/** Returns the folders of tasks: the operator's, and the ones that split jobs need. */
function taskFolders({ tasks, jobs }: Config): string[] {
  return jobs ? [...tasks, BUILT_IN_TASKS] : [...tasks];
}

/** Counts the result of each batch check and logs differences. */
function noteBatchCheck(
  { metrics, log }: Pick<Foundation, 'metrics' | 'log'>,
  beat: () => void,
): BatchSurroundings['onBatchCheck'] {
  return ({ model, version, signatureNames }, result, reason) => {
    const signature = signatureNames?.loaded;
    metrics.batchChecks.inc({ model, result });
    if (result === 'equal') return;
    const details = { model, version, signature, reason };
    if (result === 'failed')
      return log.debug(details, 'batch check failed; rows could not be computed alone');
    log.error(
      details,
      'batched answers differ from unbatched answers; turning off batching for this version',
    );
    beat();
  };
}

function createRequestParts(
  foundation: Foundation,
  catalog: ModelCatalog,
  cancelled: CancelledRequests,
): RequestParts {
  const { id: node, config, topics, destinations, schemas } = foundation;
  const { maxRecordBytes } = config;
  const isReplyTopicAllowed = replyTopicPolicy(config.replyTopics, topics.own);
  const publisher = createReplyPublisher(foundation);
  const { now } = Date;
  const admission = new Admission(catalog, { node, maxRecordBytes, isReplyTopicAllowed, schemas, now });
  return { node, admission, publisher, destinations, cancelled, schemas, now };
}

function createBindings(foundation: Foundation, catalog: ModelCatalog, beat: () => void): Bindings {
  const { id: node, lifecycle } = foundation;
  const parts: BindingParts = {
    ...foundation,
    node,
    catalog,
    onDeadLetter: (reason, record, message) => noteDeadLetter(foundation, reason, record, message),
    onChange: beat,
  };
  return new Bindings(parts, (error) => lifecycle.fail(error));
}

function createHeartbeat({ id: node, outbox, topics, log }: Foundation, status: () => NodeStatus): Heartbeat {
  return new Heartbeat({ outbox, topic: topics.nodes, node, status, log });
}

function createSweeper({ id: node, config, kafka, outbox, log }: Foundation): NodeSweeper {
  const { prefix, fetchMaxBytes, nodeForgetMs: forgetMs } = config;
  return new NodeSweeper(kafka, outbox, { node, prefix, fetchMaxBytes, forgetMs }, log);
}
