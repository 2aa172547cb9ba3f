import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { InferenceNode } from '../../consumers/node/node.js';
import { startNode } from '../../consumers/node/start-node.js';
import type { AclScope } from '../../cluster/acls.js';
import { checkConfig, type Config, type ConfigInput } from '../../core/config/config.js';
import { ABILITIES } from '../../kafka/abilities.js';
import { createKafkaClient } from '../../kafka/client.js';
import type { KafkaClient } from '../../kafka/port.js';
import { readTopic } from '../../kafka/reading/read-topic.js';
import { createLogger } from '../../core/log.js';
import { clusterTopics, modelTopics } from '../../cluster/topic-specs.js';
import { topicNames } from '../../cluster/topics.js';
import { findKafkaJars } from '../../local-cluster/java-launcher.js';
import { CHOSEN_CLIENT } from './kafka-client.js';
import { LoginBroker } from './login-broker.js';
import { ROOT } from './programs.js';
import { RawClient } from './raw-client.js';

export const NO_LOGIN_BROKER =
  findKafkaJars() === undefined ? 'the jars of the embedded broker are missing' : false;
export const NAMES = topicNames('partitura');
/** A model that is served regardless of the rights on `scale`. */
export const OTHER = 'sum';
const QUIET = createLogger('rights', 'silent');
const MODELS = ['scale', OTHER];
const USERS = ['node', 'client', 'gateway', 'operator', 'reader'];
const READ = { limitMs: 30_000, fetchMaxBytes: 1e6 };

/** A node run by a user, with its log. */
export interface NodeRun {
  /** Undefined if it failed to start. */
  readonly node: InferenceNode | undefined;
  readonly logText: () => string;
}

/** A broker with authentication and an authorizer, the topics of two models, and users with configurable rights. */
export class RightsCluster {
  private constructor(
    readonly models: string,
    readonly broker: LoginBroker,
    readonly all: KafkaClient,
    readonly rawClient: RawClient,
  ) {}

  static async start(): Promise<RightsCluster> {
    const models = await mkdtemp(join(tmpdir(), 'partitura-models-'));
    for (const model of MODELS)
      await cp(join(ROOT, 'integration-tests/fixtures/models', model), join(models, model), {
        recursive: true,
      });
    const broker = await LoginBroker.start();
    const config = checkConfig({ ...commonSettings(models), brokers: broker.broker.bootstrap });
    const all = createKafkaClient(config, 'all', QUIET);
    const admin = all.admin();
    await admin.connect();
    await admin.createTopics([
      ...clusterTopics(config),
      ...MODELS.flatMap((model) => modelTopics(model, config)),
    ]);
    await admin.close();
    const rawClient = await RawClient.start(all, 'rights.replies');
    for (const user of USERS) await broker.setPassword(user);
    return new RightsCluster(models, broker, all, rawClient);
  }

  async close(): Promise<void> {
    await this.rawClient.close();
    await this.broker.stop();
    await rm(this.models, { recursive: true });
  }

  get settings(): ConfigInput {
    return commonSettings(this.models);
  }

  get scope(): AclScope {
    return {
      prefix: 'partitura',
      models: MODELS,
      replyTopics: [this.rawClient.replyTopic],
      bindings: [],
      groupless: ABILITIES[checkConfig(CHOSEN_CLIENT).kafkaClient].groupless,
      createsTopics: false,
    };
  }

  async runNode(different: ConfigInput = {}): Promise<NodeRun> {
    const config: Config = checkConfig({
      ...this.settings,
      ...this.broker.login('node'),
      sessionTimeoutMs: 6_000,
      drainTimeoutMs: 3_000,
      ...different,
    });
    let logText = '';
    const log = pino({ level: 'warn' }, { write: (line: string) => void (logText += line) });
    try {
      const node = await startNode(config, createKafkaClient(config, 'node', log), log);
      void node.failed.then((error) => (logText += error.message));
      return { node, logText: () => logText };
    } catch (error) {
      const { message } = error as Error;
      return { node: undefined, logText: () => logText + message };
    }
  }

  /** Sends a request with each reply topic and an invalid record. @returns their correlation ids */
  async sendOfEachKind(): Promise<string[]> {
    const { rawClient } = this;
    const requests = NAMES.requests('scale');
    const row = Buffer.alloc(16);
    const request = { model: 'scale', inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: row }] };
    const to = (topic: string) => ({ headers: { 'reply-to': Buffer.from(topic) } });
    const sent = [
      rawClient.request(requests, request),
      rawClient.request(requests, request, { wantsReply: false }),
      rawClient.request(requests, request, to(NAMES.clientReplies)),
      rawClient.request(requests, request, to(NAMES.deferredReplies)),
      rawClient.send(requests, Buffer.from('none'), { wantsReply: false }),
    ];
    await rawClient.sent();
    return sent;
  }

  async #outcomes(): Promise<Set<string>> {
    const topics = [
      this.rawClient.replyTopic,
      NAMES.replies('scale'),
      NAMES.clientReplies,
      NAMES.deferredReplies,
      NAMES.deadLetters('scale'),
    ];
    const read = await Promise.all(topics.map((topic) => readTopic(this.all, topic, READ)));
    return new Set(read.flat().map(({ headers }) => String(headers['correlation-id'])));
  }

  allHaveOutcomes(sent: readonly string[]): () => Promise<boolean> {
    return async () => {
      const found = await this.#outcomes();
      return sent.every((id) => found.has(id));
    };
  }

  async deadLetterReasons(): Promise<string> {
    const letters = await readTopic(this.all, NAMES.deadLetters('scale'), READ);
    return letters.map(({ headers }) => String(headers['__connect.errors.exception.message'])).join('\n');
  }
}

function commonSettings(models: string): ConfigInput {
  return { ...CHOSEN_CLIENT, models, partitions: 2, engineThreads: 1 };
}
