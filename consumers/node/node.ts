import { hostname } from 'node:os';
import { lacking } from '../../cluster/acls.js';
import type { Directive } from '../../cluster/control/directives.js';
import type { LiveDirectives } from '../../cluster/control/live-directives.js';
import type { HealthServer } from '../../core/telemetry.js';
import { unlessAborted, within } from '../../core/time.js';
import { untilAvailable } from '../../kafka/errors/until-available.js';
import { KafkaError } from '../../kafka/port.js';
import type { TailedTopic } from '../../kafka/reading/tailed-topic.js';
import { PartituraError } from '../../schemas/errors.js';
import type { ModelVersionStatus, NodeStatus } from '../../schemas/generated.js';
import { isInternal } from '../../schemas/model-name.js';
import type { Bindings } from '../bindings/bindings.js';
import type { Engine } from '../engine/engine.js';
import type { ModelCatalog } from '../models/catalog.js';
import { connect } from './connect.js';
import type { Foundation } from './foundation.js';
import { startFollowing } from './start-following.js';
import type { Heartbeat } from './heartbeat.js';
import type { ModelConsumers } from './model-consumers.js';
import type { NodeSweeper } from './node-sweeper.js';

/** Time beyond the drain timeout to commit and leave the groups, milliseconds. */
const LEAVE_SLACK_MS = 2_000;
/** Time beyond the drain timeout for a node to close, milliseconds. */
const CLOSE_SLACK_MS = 10_000;

/** The parts of a node. */
export interface NodeParts {
  readonly foundation: Foundation;
  readonly engine: Engine;
  readonly directives: LiveDirectives;
  readonly cancellations: TailedTopic;
  readonly catalog: ModelCatalog;
  readonly consumers: ModelConsumers;
  readonly bindings: Bindings;
  readonly heartbeat: Heartbeat;
  readonly sweeper: NodeSweeper;
  readonly health: HealthServer;
}

/**
 * One inference node: serves every model of its repository and shares the requests with all other nodes of the same
 * consumer groups.
 */
export class InferenceNode {
  readonly id: string;
  /** Resolves with the reason if the node cannot continue; it should then be closed and the process end. */
  readonly failed: Promise<Error>;
  #closed: Promise<void> | undefined;

  constructor(readonly parts: NodeParts) {
    const { id, lifecycle } = parts.foundation;
    this.id = id;
    this.failed = lifecycle.failed;
  }

  /** Address of /metrics, /healthz and /readyz. */
  get healthUrl(): string {
    return this.parts.health.url;
  }

  /** Models that are served, but for internal ones. */
  get models(): string[] {
    return this.parts.catalog.models.filter((model) => !isInternal(model));
  }

  /**
   * Connects, loads the models, joins their groups, and resolves once requests are served. Waits for brokers that are
   * unavailable; `close` ends it at any time.
   * @throws PartituraError if no model can be served
   */
  async start(): Promise<void> {
    const { foundation, catalog, heartbeat, sweeper } = this.parts;
    const { lifecycle, log } = foundation;
    await connect(foundation);
    await Promise.all([this.#followDirectives(), this.#followCancellations()]);
    heartbeat.start();
    await unlessAborted(lifecycle.closing, catalog.start());
    this.#refuseIdleness();
    await this.#startBindings();
    sweeper.start();
    lifecycle.ready();
    heartbeat.beat();
    log.info({ node: this.id, models: catalog.models, health: this.healthUrl }, 'node ready');
  }

  /** Follows the control topic: a changed directive is applied at once, and then reported. */
  async #followDirectives(): Promise<void> {
    const { directives, foundation, catalog } = this.parts;
    const topic = foundation.topics.control;
    const unreadable = 'control topic cannot be read; load, unload and drain do not reach this node';
    await startFollowing(directives, { topic, unreadable }, foundation);
    directives.onChange(() => catalog.reconcileNow());
  }

  async #followCancellations(): Promise<void> {
    const { cancellations, foundation } = this.parts;
    const topic = foundation.topics.cancellations;
    const unreadable = 'cancellations cannot be read; abandoned requests are computed until their deadlines';
    await startFollowing(cancellations, { topic, unreadable }, foundation);
  }

  /** @throws PartituraError if no model is served although none was unloaded by a directive */
  #refuseIdleness(): void {
    const { consumers, directives } = this.parts;
    const isIntended = directives.isDrained(this.id) || directives.all().some(isUnload);
    if (this.models.length === 0 && !isIntended) throw this.#noModels();
    if (consumers.isEmpty && !isIntended) throw this.#nothingServed();
  }

  #noModels(): PartituraError {
    const reasons = this.parts.catalog.statuses.map(
      ({ model, version, message }) => `${model}/${version}: ${message}`,
    );
    const found = reasons.length === 0 ? 'found none' : reasons.join('; ');
    const { models } = this.parts.foundation.config;
    return new PartituraError(
      'MODEL_NOT_FOUND',
      `model repository '${models}': expected at least one model that loads, ${found}`,
    );
  }

  #nothingServed(): PartituraError {
    const problems = [...new Set(this.parts.catalog.problems)];
    return new PartituraError('MODEL_NOT_READY', `no model can be served: ${problems.join('; ')}`);
  }

  /** Starts the bindings. A node that may not read them serves requests nevertheless. */
  async #startBindings(): Promise<void> {
    const { outage, lifecycle, topics, log } = this.parts.foundation;
    try {
      await untilAvailable(() => this.parts.bindings.start(), outage, lifecycle.closing);
    } catch (error) {
      if (!(error instanceof KafkaError) || !isMissing(error)) throw error;
      const topic = topics.bindings;
      const resource = /group/i.test(error.message) ? `group ${topic}.` : `topic ${topic}`;
      const reason = lacking('node-with-bindings', 'READ', resource, error.message);
      log.warn({ reason }, 'bindings cannot be read; requests are served without them');
    }
  }

  status(): NodeStatus {
    const { foundation, directives, catalog, consumers, bindings } = this.parts;
    const { lifecycle, inFlight, config } = foundation;
    return {
      node: this.id,
      host: hostname(),
      startedAt: lifecycle.startedAt,
      beatAt: Date.now(),
      state: directives.isDrained(this.id) ? 'DRAINING' : lifecycle.state,
      models: catalog.statuses.map((status) => ({ ...status, ...deliveryStatus(consumers, status.model) })),
      partitions: [...consumers.owned, ...bindings.owned].map(({ topic, partition, lagRecords }) => ({
        topic,
        partition,
        lagRecords,
      })),
      bindings: bindings.statuses,
      inflightRequests: inFlight.requests,
      inflightBytes: inFlight.bytes,
      serviceMicros: catalog.microsPerRow,
      capacityRequests: config.maxInflightRequests,
      controlOffset: catalog.appliedRevision,
      skippedFolders: catalog.skippedFolders,
    };
  }

  /** Ends a start in progress, finishes the work in flight, commits, leaves the groups and releases all resources. */
  close(): Promise<void> {
    this.#closed ??= within(
      this.parts.foundation.config.drainTimeoutMs + CLOSE_SLACK_MS,
      this.#close(),
      () => new Error('the node did not close in time'),
    );
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { foundation, heartbeat, engine, health } = this.parts;
    const { lifecycle, schemas, destinations, outbox, producer, admin, log } = foundation;
    lifecycle.drain();
    heartbeat.beat();
    await this.#leaveGroups();
    schemas?.close();
    destinations.close();
    await heartbeat.stop();
    const sent = outbox.close();
    await Promise.allSettled([producer.close(), admin.close()]);
    await sent;
    await engine.close();
    await health.close();
    log.info({ node: this.id }, 'node stopped');
  }

  /** Leaves all groups. The next owners of the partitions answer what is unfinished. */
  async #leaveGroups(): Promise<void> {
    const { foundation, directives, cancellations, consumers, bindings, catalog, sweeper } = this.parts;
    const limitMs = foundation.config.drainTimeoutMs + LEAVE_SLACK_MS;
    const left = Promise.all([
      consumers.close(),
      bindings.close(),
      catalog.close(),
      sweeper.close(),
      directives.close(),
      cancellations.close(),
    ]);
    const late = (): Error => new Error(`the groups could not be left within ${limitMs} ms`);
    await within(limitMs, left, late).catch((error: unknown) => {
      foundation.log.warn(
        { err: error },
        'leaving the groups failed; their partitions are reassigned after the session timeout',
      );
    });
  }
}

function deliveryStatus(
  consumers: ModelConsumers,
  model: string,
): Pick<ModelVersionStatus, 'delivery' | 'deliveryNote'> {
  const { delivery = null, note = null } = consumers.deliveryOf(model) ?? {};
  return { delivery, deliveryNote: note };
}

function isUnload({ kind, value }: Directive): boolean {
  return kind === 'model' && !value.loaded;
}

function isMissing({ kind }: KafkaError): boolean {
  return kind === 'not-authorized' || kind === 'unknown-topic';
}
