import { LiveDirectives } from '../cluster/control/live-directives.js';
import { ensureTopics } from '../cluster/ensure-topics.js';
import { LiveNodes } from '../cluster/live-nodes.js';
import { clusterTopics } from '../cluster/topic-specs.js';
import { topicNames } from '../cluster/topics.js';
import type { Config } from '../core/config/config.js';
import type { Logger } from '../core/log.js';
import type { KafkaClient, KafkaProducer } from '../kafka/port.js';
import { ClusterControl } from '../operations/control/cluster-control.js';
import type { KnownNode } from '../cluster/node-directory.js';
import { expectedWaitMs } from './models/expected-wait.js';
import { DeferredReplies } from './deferred/deferred-replies.js';
import { OpenedJobs } from './jobs/opened-jobs.js';
import { PartitionChooser } from '../producers/partition-chooser.js';
import { RequestChannel } from '../producers/request-channel.js';

/** A gateway's connections to the cluster: requests and replies, nodes, directives. */
export class ClusterLink {
  readonly channel: RequestChannel;
  readonly nodes: LiveNodes;
  readonly directives: LiveDirectives;
  readonly control: ClusterControl;
  readonly deferred: DeferredReplies;
  readonly jobs: OpenedJobs;
  readonly #producer: KafkaProducer;

  constructor(
    readonly config: Config,
    readonly kafka: KafkaClient,
    readonly log: Logger,
  ) {
    this.nodes = new LiveNodes(kafka, config, log);
    const chooser = new PartitionChooser(this.nodes, config.prefix);
    const options = {
      retryLimitMs: config.gatewayTimeoutMs,
      maxInflight: config.gatewayMaxInflight,
      chooser,
    };
    this.channel = new RequestChannel(config, kafka, options, log);
    this.directives = new LiveDirectives(kafka, config, log);
    this.deferred = new DeferredReplies(config, kafka);
    this.jobs = new OpenedJobs(config, kafka, log);
    this.#producer = kafka.producer();
    this.control = new ClusterControl({
      producer: this.#producer,
      directives: this.directives,
      nodes: this.nodes,
      topic: topicNames(config.prefix).control,
    });
  }

  /** Returns the time that a new request of a model is expected to wait, milliseconds. */
  expectedWaitMs(model: string, nodes: readonly KnownNode[]): number {
    const topic = topicNames(this.config.prefix).requests(model);
    return expectedWaitMs({ model, topic }, nodes, Date.now());
  }

  /** Creates missing topics, then connects. @throws KafkaError if the cluster cannot be reached */
  async open(): Promise<void> {
    await this.#prepareTopics();
    await Promise.all([
      this.channel.open(),
      this.nodes.start(),
      this.directives.start(),
      this.deferred.open(),
      this.#producer.connect(),
    ]);
  }

  async close(): Promise<void> {
    await Promise.all([
      this.channel.close(),
      this.nodes.close(),
      this.directives.close(),
      this.deferred.close(),
      this.jobs.close(),
      this.#producer.close(),
    ]);
  }

  async #prepareTopics(): Promise<void> {
    const admin = this.kafka.admin();
    try {
      await admin.connect();
      for (const { topic, error } of await ensureTopics(admin, clusterTopics(this.config)))
        this.log.debug({ topic, err: error }, 'topic cannot be created; assuming that it exists');
    } finally {
      await admin.close();
    }
  }
}
