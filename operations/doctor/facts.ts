import type { BindingDefinition } from '../../cluster/bindings/definition.js';
import { readBindings } from '../../cluster/bindings/store.js';
import { topicNames } from '../../cluster/topics.js';
import type { Config } from '../../core/config/config.js';
import { within } from '../../core/time.js';
import type { BrokerFacts, ClusterFacts, KafkaInspector } from '../../kafka/inspector.js';
import type { KafkaAdmin, KafkaClient } from '../../kafka/port.js';
import { BROKER_SETTINGS, type Reach } from './checks/brokers.js';
import type { ExaminedGroup } from './checks/groups.js';
import type { Beats, ClassifiedNode } from './checks/nodes.js';
import type { ExaminedTopic } from './checks/topics.js';
import { collectGroups } from './collect/groups.js';
import { collectNodes } from './collect/nodes.js';
import { collectTopics, modelsOf } from './collect/topics.js';
import { warning, type Finding } from './finding.js';
import { Queries } from './queries.js';

/** Clients, configuration and limits of one examination. */
export interface DoctorContext {
  readonly kafka: KafkaClient;
  readonly admin: KafkaAdmin;
  readonly inspector: KafkaInspector;
  readonly config: Config;
  /** The longest deadline that senders set, milliseconds. */
  readonly deadlineMs: number;
}

const REACH_LIMIT_MS = 15_000;

/**
 * Facts about a cluster that several areas share, each collected at most once, when it is first needed. A failed
 * query becomes a finding of its area, and the fact is missing.
 */
export class Facts {
  readonly #queries = new Queries();
  readonly #collected = new Map<string, Promise<unknown>>();

  constructor(readonly context: DoctorContext) {}

  /** Returns the findings of queries that failed. */
  failuresOf(area: string): Finding[] {
    return this.#queries.findings.filter((finding) => finding.area === area);
  }

  #once<T>(name: string, collect: () => Promise<T>): Promise<T> {
    const known = this.#collected.get(name) as Promise<T> | undefined;
    const collected = known ?? collect();
    this.#collected.set(name, collected);
    return collected;
  }

  /** Tries the bootstrap addresses. */
  bootstrap(): Promise<Reach[]> {
    return this.#once('bootstrap', () => this.#reachAll(this.context.config.brokers));
  }

  /** Describes the cluster; undefined if no bootstrap address answers or the query fails. */
  cluster(): Promise<ClusterFacts | undefined> {
    return this.#once('cluster', async () => {
      if ((await this.bootstrap()).every(({ error }) => error)) return undefined;
      return this.#queries.run('brokers', 'the cluster', 'DESCRIBE on the cluster', () =>
        this.context.inspector.describeCluster(),
      );
    });
  }

  /** Tries the addresses that the brokers advertise. */
  advertised(): Promise<Reach[]> {
    return this.#once('advertised', async () =>
      this.#reachAll(((await this.cluster())?.brokers ?? []).map(({ address }) => address)),
    );
  }

  /** Returns the brokers whose advertised address answers. */
  async reachableBrokers(): Promise<BrokerFacts[]> {
    const advertised = await this.advertised();
    return ((await this.cluster())?.brokers ?? []).filter((_, index) => !advertised[index]?.error);
  }

  /** True if topics and groups can be examined. */
  async isReachable(): Promise<boolean> {
    if ((await this.bootstrap()).every(({ error }) => error)) return false;
    return (await this.cluster()) === undefined || (await this.reachableBrokers()).length > 0;
  }

  /** Reads the settings of the reachable brokers, by their ids. */
  brokerSettings(): Promise<ReadonlyMap<number, ReadonlyMap<string, string>>> {
    return this.#once('broker settings', async () => {
      const all = new Map<number, ReadonlyMap<string, string>>();
      for (const { id } of await this.reachableBrokers()) {
        const subject = `settings of broker ${id}`;
        const settings = await this.#queries.run('brokers', subject, 'DESCRIBE_CONFIGS on the cluster', () =>
          this.context.inspector.brokerSettings(id, BROKER_SETTINGS),
        );
        if (settings) all.set(id, settings);
      }
      return all;
    });
  }

  nodes(): Promise<{ nodes: ClassifiedNode[]; beats: Beats } | undefined> {
    const { nodes: topic } = topicNames(this.context.config.prefix);
    return this.#once('nodes', () =>
      this.#queries.run('nodes', 'nodes', `READ on ${topic}`, () => collectNodes(this.context)),
    );
  }

  bindings(): Promise<BindingDefinition[]> {
    const { kafka, config } = this.context;
    const topic = topicNames(config.prefix).bindings;
    return this.#once('bindings', async () => {
      const applied = await this.#queries.run('topics', 'bindings', `READ on ${topic}`, () =>
        readBindings(kafka, config, ({ partition, offset }, error) => {
          const message = `${topic}: record ${partition}/${offset} is not a valid binding: ${error.message}`;
          this.#queries.findings.push(warning('topics', message, 'apply it again: partitura bind apply'));
        }),
      );
      return [...(applied?.values() ?? [])].map(({ definition }) => definition);
    });
  }

  topicNames(): Promise<readonly string[] | undefined> {
    return this.#once('topic names', () =>
      this.#queries.run('topics', 'the list of topics', 'DESCRIBE on topics', () =>
        this.context.inspector.topicNames(),
      ),
    );
  }

  /** Returns the models that have a request topic or are served; none if the cluster is not reachable. */
  async models(): Promise<string[]> {
    if (!(await this.isReachable())) return [];
    const { prefix } = this.context.config;
    return modelsOf(prefix, (await this.topicNames()) ?? [], (await this.nodes())?.nodes ?? []);
  }

  topics(): Promise<ExaminedTopic[]> {
    return this.#once('topics', async () => {
      const [models, bindings] = [await this.models(), await this.bindings()];
      const topics = await this.#queries.run('topics', 'topics', 'DESCRIBE on topics', () =>
        collectTopics(this.context, models, bindings),
      );
      return topics ?? [];
    });
  }

  groups(): Promise<ExaminedGroup[]> {
    return this.#once('groups', async () => {
      const { admin, config } = this.context;
      await this.#queries.run(
        'brokers',
        `the cluster by KAFKA_CLIENT=${config.kafkaClient}`,
        'DESCRIBE',
        () => admin.connect(),
      );
      const readers = {
        models: await this.models(),
        bindings: await this.bindings(),
        nodes: (await this.nodes())?.nodes ?? [],
      };
      return collectGroups(this.context, await this.topics(), readers);
    });
  }

  #reachAll(addresses: readonly string[]): Promise<Reach[]> {
    return Promise.all(
      addresses.map(async (address) => {
        const startedAt = Date.now();
        const late = (): Error => new Error(`no answer within ${REACH_LIMIT_MS} ms`);
        const error = await within(REACH_LIMIT_MS, this.context.inspector.reach(address), late).then(
          () => undefined,
          (cause: unknown) => cause as Error,
        );
        return { address, ms: Date.now() - startedAt, error };
      }),
    );
  }
}
