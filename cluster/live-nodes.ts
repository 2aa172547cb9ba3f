import type { Config } from '../core/config/config.js';
import type { Logger } from '../core/log.js';
import type { KafkaClient } from '../kafka/port.js';
import { FollowedTopic } from '../kafka/reading/followed-topic.js';
import {
  decodeStatuses,
  DIRECTORY_LIMITS,
  SILENT_AFTER_MS,
  withoutForgotten,
  type KnownNode,
} from './node-directory.js';
import { topicNames } from './topics.js';

/** The node directory, kept up to date. One instance serves all readers of a process. */
export class LiveNodes {
  readonly #followed: FollowedTopic;
  #nodes: KnownNode[] | undefined;

  constructor(
    kafka: KafkaClient,
    readonly config: Pick<Config, 'prefix' | 'fetchMaxBytes' | 'nodeForgetMs'>,
    log: Logger,
  ) {
    const topic = topicNames(config.prefix).nodes;
    const { fetchMaxBytes } = config;
    this.#followed = new FollowedTopic(kafka, { ...DIRECTORY_LIMITS, topic, fetchMaxBytes, log });
    this.#followed.onChange(() => (this.#nodes = undefined));
  }

  /** Reads the current statuses, then follows. @throws KafkaError if the topic cannot be read */
  start(): Promise<void> {
    return this.#followed.start();
  }

  /** Returns the nodes that are not forgotten, by name. */
  nodes(now = Date.now()): readonly KnownNode[] {
    this.#nodes ??= withoutForgotten(decodeStatuses(this.#followed.records()), this.config).map(
      ({ status }) => ({ ...status, alive: true }),
    );
    return this.#nodes.map((node) => ({ ...node, alive: now - node.beatAt < SILENT_AFTER_MS }));
  }

  /** Calls `listener` after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    return this.#followed.onChange(listener);
  }

  close(): Promise<void> {
    return this.#followed.close();
  }
}
