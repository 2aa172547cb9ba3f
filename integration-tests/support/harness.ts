import { randomUUID } from 'node:crypto';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InferenceNode } from '../../consumers/node/node.js';
import { startGateway, type Gateway } from '../../gateway/gateway.js';
import { startNode } from '../../consumers/node/start-node.js';
import { checkConfig, type Config, type ConfigInput } from '../../core/config/config.js';
import { createKafkaClient } from '../../kafka/client.js';
import type { KafkaAdmin, KafkaClient, KafkaRecord } from '../../kafka/port.js';
import { readTopic } from '../../kafka/reading/read-topic.js';
import { createLogger } from '../../core/log.js';
import { topicNames, type TopicNames } from '../../cluster/topics.js';
import {
  startCoordinatorProcess,
  startNodeProcess,
  type CoordinatorReady,
  type NodeProcess,
  type RoleProcess,
} from '../../local-cluster/role-process.js';
import { JobClient } from '../../operations/jobs/job-client.js';
import { superviseNode, type SupervisedNode } from '../../local-cluster/supervised-process.js';
import { connect, type ClientOptions, type PartituraClient } from '../../producers/index.js';
import { CHOSEN_CLIENT } from './kafka-client.js';
import { startTestBroker, type TestBroker } from './broker.js';
import { RawClient } from './raw-client.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** The shipped examples, and small models for tests. */
const MODEL_FOLDERS = ['examples/models', 'examples/wine/models', 'integration-tests/fixtures/models'].map(
  (folder) => join(ROOT, folder),
);
const READ_LIMIT_MS = 60_000;

export type ModelName =
  | 'digits'
  | 'digits-graph'
  | 'digits-layers'
  | 'digits-onnx'
  | 'types'
  | 'int64'
  | 'sum'
  | 'slow'
  | 'scale'
  | 'picky'
  | 'fixed'
  | 'double'
  | 'picky-onnx'
  | 'zipmap-onnx'
  | 'sequence-onnx'
  | 'scale-onnx'
  | 'divide-onnx'
  | 'abort-onnx'
  | 'abort-always-onnx'
  | 'memory-onnx'
  | 'softmax-over-rows'
  | 'cumsum-over-time'
  | 'words'
  | 'lengths'
  | 'coder'
  | 'estimator'
  | 'unknown-rank'
  | 'softmax-over-rows-onnx'
  | 'cumsum-over-time-onnx'
  | 'image-by-text-onnx'
  | 'rows-counted-onnx'
  | 'matmul-open-onnx'
  | 'empty-cache-onnx'
  | 'unknown-rank-onnx'
  | 'quantized-onnx'
  | 'spectrogram-onnx'
  | 'row-indices-onnx'
  | 'found-onnx'
  | 'clip-by-all-onnx'
  | 'side-input-onnx'
  | 'rare-value-onnx'
  | 'from-batches-of-five-onnx'
  | 'no-inputs-onnx'
  | 'embedding-onnx'
  | 'product-onnx'
  | 'wine';

/**
 * Environment of a test: its own broker and model repository, and factories for nodes and callers, all stopped by
 * `close`.
 */
export class Harness {
  readonly #cleanups: (() => Promise<unknown>)[] = [];
  readonly kafka: KafkaClient;
  readonly topics: TopicNames;

  private constructor(
    readonly broker: TestBroker,
    readonly models: string,
    readonly settings: ConfigInput,
  ) {
    this.kafka = createKafkaClient(this.config(), 'test', createLogger('test', 'silent'));
    this.topics = topicNames(this.config().prefix);
  }

  /** @param models copied into the repository that nodes serve */
  static async start(models: readonly ModelName[], settings: ConfigInput = {}): Promise<Harness> {
    return Harness.on(await startTestBroker(), models, settings);
  }

  /** Uses an existing broker, and stops it with everything else. */
  static async on(
    broker: TestBroker,
    models: readonly ModelName[],
    settings: ConfigInput = {},
  ): Promise<Harness> {
    const folder = await mkdtemp(join(tmpdir(), 'partitura-models-'));
    const harness = new Harness(broker, folder, settings);
    for (const model of models) await harness.addModel(model);
    return harness;
  }

  config(overrides: ConfigInput = {}): Config {
    return checkConfig({
      brokers: this.broker.bootstrap,
      models: this.models,
      partitions: 4,
      repositoryPollMs: 200,
      intraOpThreads: 1,
      engineThreads: 1,
      logLevel: 'silent',
      bindingTopics: '*',
      // Ignores verdicts of other runs.
      cacheDir: `${this.models}-cache`,
      ...CHOSEN_CLIENT,
      ...this.settings,
      ...overrides,
    });
  }

  /** Adds a model, or one version of it, to the repository. */
  async addModel(model: ModelName, version?: string): Promise<void> {
    for (const folder of MODEL_FOLDERS) {
      const source = join(folder, model, version ?? '');
      const target = join(this.models, model, version ?? '');
      await mkdir(join(this.models, model), { recursive: true });
      await cp(source, target, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
  }

  async removeModel(model: ModelName, version?: string): Promise<void> {
    await rm(join(this.models, model, version ?? ''), { recursive: true });
  }

  /** Starts a node in this process. */
  async node(overrides: ConfigInput = {}): Promise<InferenceNode> {
    const config = this.config(overrides);
    const node = await startNode(
      config,
      createKafkaClient(config, 'test-node', createLogger('node', config.logLevel)),
      createLogger('node', config.logLevel),
    );
    this.#cleanups.push(() => node.close());
    return node;
  }

  /** Starts a node in a separate process, which can be killed. */
  async nodeProcess(
    overrides: ConfigInput = {},
    log: (line: string) => void = () => undefined,
  ): Promise<NodeProcess> {
    const node = await startNodeProcess(this.config(overrides), { log });
    this.#cleanups.push(() => node.stop());
    return node;
  }

  /** Starts a node that is restarted after a crash. */
  async supervisedNode(overrides: ConfigInput = {}): Promise<SupervisedNode> {
    const node = await superviseNode(this.config(overrides));
    this.#cleanups.push(() => node.stop());
    return node;
  }

  /** Starts a coordinator of split jobs as a process of its own. */
  async coordinatorProcess(overrides: ConfigInput = {}): Promise<RoleProcess<CoordinatorReady>> {
    const coordinator = await startCoordinatorProcess(this.config(overrides), { log: () => undefined });
    this.#cleanups.push(() => coordinator.stop());
    return coordinator;
  }

  /** Connects a client of split jobs. */
  async jobClient(): Promise<JobClient> {
    const jobs = new JobClient(this.config(), this.kafka, createLogger('jobs', 'silent'));
    this.#cleanups.push(() => jobs.close());
    await jobs.open();
    return jobs;
  }

  /** Starts a gateway in this process, on free ports. */
  async gateway(overrides: ConfigInput = {}): Promise<Gateway> {
    const config = this.config({ gatewayPort: 0, grpcPort: 0, ...overrides });
    const log = createLogger('gateway', config.logLevel);
    const gateway = await startGateway(config, createKafkaClient(config, 'test-gateway', log), log);
    this.#cleanups.push(() => gateway.close());
    return gateway;
  }

  async client(options: ClientOptions = {}): Promise<PartituraClient> {
    const client = await connect({ ...this.config(), ...options }, createLogger('client', 'silent'));
    this.#cleanups.push(() => client.close());
    return client;
  }

  /** Creates a caller without our client library, which writes bytes and headers and reads replies. */
  async rawClient(replyTopic = `t-${randomUUID().slice(0, 8)}.replies`): Promise<RawClient> {
    const rawClient = await RawClient.start(this.kafka, replyTopic);
    this.#cleanups.push(() => rawClient.close());
    return rawClient;
  }

  async withAdmin<T>(work: (admin: KafkaAdmin) => Promise<T>): Promise<T> {
    const admin = this.kafka.admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.close();
    }
  }

  read(topic: string): Promise<KafkaRecord[]> {
    return readTopic(this.kafka, topic, { limitMs: READ_LIMIT_MS, fetchMaxBytes: 16 * 1024 * 1024 });
  }

  deadLetters(model: ModelName): Promise<KafkaRecord[]> {
    return this.read(this.topics.deadLetters(model));
  }

  /** Returns the number of uncommitted requests of a model. */
  uncommitted(model: ModelName): Promise<number> {
    return this.uncommittedOf(this.topics.group(model), this.topics.requests(model));
  }

  /** Returns the number of uncommitted records of a group and topic. */
  uncommittedOf(group: string, topic: string): Promise<number> {
    return this.withAdmin(async (admin) => {
      const committed = await admin.committed(group, topic);
      const ends = await admin.offsets(topic);
      return ends.reduce(
        (sum, { partition, end }) =>
          sum + end - Math.max(0, committed.find((found) => found.partition === partition)?.offset ?? 0),
        0,
      );
    });
  }

  /** Stops everything in reverse order of the start. */
  async close(): Promise<void> {
    for (const cleanup of this.#cleanups.reverse()) await cleanup();
    await this.broker.stop();
    await rm(this.models, { recursive: true, force: true });
    await rm(`${this.models}-cache`, { recursive: true, force: true });
  }
}
