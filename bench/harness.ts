import { checkConfig, type Config, type ConfigInput } from '../core/config/config.js';
import { createKafkaClient } from '../kafka/client.js';
import type { KafkaAdmin, TopicSpec } from '../kafka/port.js';
import { createLogger } from '../core/log.js';
import { startLocalBroker, type LocalBroker } from '../local-cluster/broker.js';
import { Generator } from './generator/generator.js';
import { findDescendant } from './processor-time.js';

/** Environment prepared by `npm run bench`: the Python with the compared systems, and the folder of models. */
export interface Prepared {
  readonly python: string;
  readonly modelsFolder: string;
}

const PARTITIONS = 4;

/** Shared base of all measurements: one broker, one generator and one configuration. Must be closed. */
export class BenchHarness {
  readonly brokers: string;
  readonly brokerPid: number;
  readonly generator = new Generator();
  #prefixes = 0;

  private constructor(
    readonly broker: LocalBroker,
    readonly prepared: Prepared,
    readonly partitions: number,
  ) {
    this.brokers = broker.bootstrap;
    this.brokerPid = findDescendant(process.pid, 'kafka.Kafka') ?? 0;
  }

  /** @param settings broker properties that override ours */
  static async open(
    prepared: Prepared,
    settings: Record<string, string> = {},
    partitions = PARTITIONS,
  ): Promise<BenchHarness> {
    const broker = await startLocalBroker({ heapMb: 1_024, settings });
    try {
      return new BenchHarness(broker, prepared, partitions);
    } catch (error) {
      await broker.stop();
      throw error;
    }
  }

  get python(): string {
    return this.prepared.python;
  }

  get modelsFolder(): string {
    return this.prepared.modelsFolder;
  }

  /** Returns the defaults of a node with the address of the broker and the compared options. */
  config(different: ConfigInput = {}): Config {
    return checkConfig({
      brokers: [this.brokers],
      partitions: this.partitions,
      prefix: 'bench',
      logLevel: 'error',
      ...different,
    });
  }

  /** Returns a new topic prefix, so that unanswered requests of one system never reach the next. */
  ownPrefix(): string {
    return `bench-${++this.#prefixes}`;
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    await this.withAdmin((admin) => admin.createTopics(topics));
  }

  async withAdmin<T>(use: (admin: KafkaAdmin) => Promise<T>): Promise<T> {
    const admin = createKafkaClient(this.config(), 'bench', createLogger('bench', 'error')).admin();
    try {
      await admin.connect();
      return await use(admin);
    } finally {
      await admin.close();
    }
  }

  async close(): Promise<void> {
    this.generator.close();
    await this.broker.stop();
  }
}
