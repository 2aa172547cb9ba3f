import { checkConfig, type Config, type ConfigInput } from '../core/config/config.js';
import { createKafkaClient } from '../kafka/client.js';
import type { KafkaAdmin, TopicSpec } from '../kafka/port.js';
import { createLogger } from '../core/log.js';
import { startLocalBroker, type LocalBroker } from '../local-cluster/broker.js';
import { Generator } from './generator/generator.js';
import { findDescendant } from './processor-time.js';

/** What `npm run bench` prepared: the Python with the peers, and the folder of models. */
export interface Prepared {
  readonly python: string;
  readonly modelsFolder: string;
}

const PARTITIONS = 4;

/** What all measurements stand on: one broker, one generator, one configuration. Close it in the end. */
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

  /** @param settings Kafka's own, over ours */
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

  /** The defaults of a node, apart from where it is and what is being compared. */
  config(different: ConfigInput = {}): Config {
    return checkConfig({
      brokers: [this.brokers],
      partitions: this.partitions,
      prefix: 'bench',
      logLevel: 'error',
      ...different,
    });
  }

  /** For topics of one system's own: what one has left unanswered is not for the next. */
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
