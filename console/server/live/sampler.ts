import type {
  BindingView,
  ClusterView,
  ModelView,
  NodeView,
  TopicView,
  TrafficPoint,
  WaitsView,
} from '../../api/views.js';
import type { ConsoleServices } from '../services.js';
import { bindingViews } from '../views/bindings.js';
import { modelViews } from '../views/models.js';
import { nodeViews } from '../views/nodes.js';
import { ClusterReader } from './cluster-reader.js';
import { readTotals, trafficBetween, type TrafficTotals } from './traffic.js';
import { Viewers } from './viewers.js';

const TICK_MS = 1_000;
/** Five minutes. */
const HISTORY_POINTS = 300;
/** Topics are read this often while somebody looks. */
const TOPICS_EVERY_MS = 2_000;

/** Samples the cluster and the gateway once for all viewers. Without viewers only the gateway's own counters are read. */
export class Sampler {
  readonly viewers = new Viewers();
  readonly reader: ClusterReader;
  readonly #history: TrafficPoint[] = [];
  #timer: NodeJS.Timeout | undefined;
  #totals: { readonly at: number; readonly value: TrafficTotals } | undefined;
  #topics: { readonly at: number; readonly views: readonly TopicView[] } | undefined;
  #arrived: number | null = null;
  #readingTopics = false;
  #closed = false;
  #outage: ClusterView['outage'] = null;

  constructor(readonly services: ConsoleServices) {
    this.reader = new ClusterReader(services);
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** The last minutes, oldest first. */
  get history(): readonly TrafficPoint[] {
    return this.#history;
  }

  cluster(): ClusterView {
    const { config, kafka } = this.services;
    const outage = kafka.outages.current ?? this.#outage;
    return {
      brokers: config.brokers,
      prefix: config.prefix,
      secured: config.gatewayApiKeys !== undefined || config.gatewayJwks !== undefined,
      readOnly: config.consoleReadOnly,
      outage: outage ? { since: outage.since, reason: outage.reason } : null,
    };
  }

  nodes(): NodeView[] {
    return nodeViews(this.services.nodes.nodes());
  }

  models(): ModelView[] {
    const { nodes, directives } = this.services;
    return modelViews(nodes.nodes(), (model) => directives.model(model).labels);
  }

  waits(): WaitsView {
    const nodes = this.services.nodes.nodes().filter(({ alive }) => alive);
    const names = new Set(nodes.flatMap(({ models }) => models.map(({ model }) => model)));
    return Object.fromEntries([...names].map((name) => [name, this.services.expectedWaitMs(name, nodes)]));
  }

  async bindings(): Promise<BindingView[]> {
    return bindingViews(await this.reader.bindings(), this.services.nodes.nodes());
  }

  /** Sends the current state at once, so that a new viewer does not wait for the next tick. */
  publish(): void {
    const { viewers } = this;
    viewers.publish('cluster', this.cluster());
    viewers.publish('nodes', this.nodes());
    viewers.publish('models', this.models());
    viewers.publish('waits', this.waits());
    viewers.publish('jobs', this.services.jobs());
    if (viewers.count > 0) void this.#publishTopics();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    this.viewers.close();
    await this.reader.close();
  }

  async #tick(): Promise<void> {
    const point = await this.#point(Date.now());
    if (point) {
      this.#history.push(point);
      if (this.#history.length > HISTORY_POINTS) this.#history.shift();
      this.viewers.emit('point', point);
    }
    if (this.viewers.count > 0) this.publish();
    else this.#arrived = null;
  }

  /** Returns the traffic since the last call; undefined for the first. */
  async #point(at: number): Promise<TrafficPoint | undefined> {
    const value = await readTotals(this.services.registry);
    const before = this.#totals;
    this.#totals = { at, value };
    if (!before) return undefined;
    const isFresh = this.#topics !== undefined && this.viewers.count > 0;
    const nodes = this.services.nodes.nodes().filter(({ alive }) => alive);
    return {
      at,
      ...trafficBetween(before.value, value, Math.max(1, at - before.at) / 1_000),
      inflight: nodes.reduce((sum, { inflightRequests }) => sum + inflightRequests, 0),
      arrived: this.#arrived,
      lag: isFresh ? lagOfRequests(this.#topics?.views ?? []) : null,
    };
  }

  async #publishTopics(): Promise<void> {
    if (this.#readingTopics || Date.now() - (this.#topics?.at ?? 0) < TOPICS_EVERY_MS) return;
    this.#readingTopics = true;
    try {
      const views = await this.reader.topics();
      this.#arrived = arrivalsBetween(this.#topics, views, Date.now());
      this.#topics = { at: Date.now(), views };
      this.#outage = null;
      this.viewers.publish('topics', views);
      this.viewers.publish('bindings', await this.bindings());
    } catch (error) {
      this.#outage ??= { since: Date.now(), reason: (error as Error).message };
      this.#topics = undefined;
      this.#arrived = null;
    } finally {
      this.#readingTopics = false;
    }
  }
}

function lagOfRequests(topics: readonly TopicView[]): number {
  return topics.reduce((sum, { lag }) => sum + (lag ?? 0), 0);
}

/** Returns records that arrived on request topics per second; null without an earlier reading. */
function arrivalsBetween(
  before: { readonly at: number; readonly views: readonly TopicView[] } | undefined,
  views: readonly TopicView[],
  now: number,
): number | null {
  if (!before || now - before.at > 4 * TOPICS_EVERY_MS) return null;
  return Math.max(0, endOf(views) - endOf(before.views)) / ((now - before.at) / 1_000);
}

function endOf(topics: readonly TopicView[]): number {
  return topics
    .filter(({ role }) => role === 'requests')
    .flatMap(({ partitions }) => partitions)
    .reduce((sum, { end }) => sum + end, 0);
}
