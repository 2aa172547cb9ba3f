import kafkajs, { type Admin, type ITopicConfig, type SeekEntry } from 'kafkajs';
import {
  KafkaError,
  type CommittedPosition,
  type KafkaAdmin,
  type PartitionOffset,
  type PartitionOffsets,
  type TopicSpec,
} from '../port.js';
import { toConnectError, toKafkaError } from './errors.js';
import { CONNECT_LIMIT_MS, retryKinds } from './retry.js';
import type { Session } from './session.js';
import './all-offsets.js';

export const NO_SHARE_GROUPS = 'kafkajs has no share groups: expected KAFKA_CLIENT=native';

/** Administration with kafkajs. */
export class KafkaJsAdmin implements KafkaAdmin {
  #session: Session;
  #admin: Admin;
  #isClosed = false;

  constructor(
    readonly newSession: () => Session,
    readonly brokers: readonly string[],
  ) {
    this.#session = newSession();
    this.#admin = this.#session.kafka.admin();
  }

  async connect(): Promise<void> {
    if (this.#isClosed) throw new KafkaError('unavailable', 'closed');
    try {
      await this.#session.run(() => this.#admin.connect(), CONNECT_LIMIT_MS);
    } catch (error) {
      this.#renew();
      throw toConnectError(error, this.brokers);
    }
  }

  /** Replaces the session without waiting for kafkajs to finish with a failed connection. */
  #renew(): void {
    this.#session.cut();
    if (this.#isClosed) return;
    this.#session = this.newSession();
    this.#admin = this.#session.kafka.admin();
  }

  async #attempt<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    try {
      return await this.#session.run(() => work(this.#admin));
    } catch (error) {
      throw toKafkaError(error);
    }
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<string[]> {
    const existing = new Set(await this.listTopics());
    const missing = topics.filter(({ topic }) => !existing.has(topic));
    if (missing.length === 0) return [];
    try {
      const specs = missing.map(toTopicConfig);
      await this.#session.run(() => this.#admin.createTopics({ topics: specs, waitForLeaders: false }));
    } catch (error) {
      if (!isRaceWithAnotherCreator(error)) throw toKafkaError(error);
    }
    const created = missing.map(({ topic }) => topic);
    await this.#waitForLeaders(created);
    return created;
  }

  /** Waits for leaders. kafkajs would too, but gives up if the broker it asks does not know the topic yet. */
  async #waitForLeaders(topics: string[]): Promise<void> {
    await this.#attempt((admin) =>
      retryKinds(() => admin.fetchTopicMetadata({ topics }), ['unknown-topic', 'unavailable']),
    );
  }

  listTopics(): Promise<string[]> {
    return this.#attempt((admin) => admin.listTopics());
  }

  async partitionCount(topic: string): Promise<number | undefined> {
    try {
      const { topics } = await this.#attempt((admin) => admin.fetchTopicMetadata({ topics: [topic] }));
      return topics[0]?.partitions.length;
    } catch (error) {
      const known = toKafkaError(error);
      if (known.kind === 'unknown-topic') return undefined;
      throw known;
    }
  }

  async topicSettings(topic: string, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { TOPIC } = kafkajs.ConfigResourceTypes;
    const query = {
      includeSynonyms: false,
      resources: [{ type: TOPIC, name: topic, configNames: [...names] }],
    };
    const { resources } = await this.#attempt((admin) => admin.describeConfigs(query));
    return new Map(
      resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
    );
  }

  brokerSettings(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#attempt(async (admin) => {
      const { brokers } = await admin.describeCluster();
      const resource = {
        type: kafkajs.ConfigResourceTypes.BROKER,
        name: String(brokers[0]?.nodeId),
        configNames: [...names],
      };
      const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [resource] });
      return new Map(
        resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
      );
    });
  }

  offsets(topic: string): Promise<PartitionOffsets[]> {
    return this.#attempt((admin) => topicOffsets(admin, topic));
  }

  async offsetsAt(topic: string, timestamp: number): Promise<PartitionOffset[]> {
    const found = await this.#attempt((admin) =>
      retryKinds(() => admin.fetchTopicOffsetsByTimestamp(topic, timestamp), ['unavailable']),
    );
    return numbered(found);
  }

  async committed(group: string, topic: string): Promise<CommittedPosition[]> {
    const [found] = await this.#attempt((admin) => admin.fetchOffsets({ groupId: group, topics: [topic] }));
    return (found?.partitions ?? []).map(({ partition, offset, metadata }) => ({
      partition,
      offset: Number(offset),
      metadata: metadata ?? '',
    }));
  }

  shareGroupProblem(): Promise<string> {
    return Promise.resolve(NO_SHARE_GROUPS);
  }

  shareGroupLag(): Promise<never> {
    return Promise.reject(new KafkaError('other', NO_SHARE_GROUPS));
  }

  async deleteRecords(topic: string, before: readonly PartitionOffset[]): Promise<void> {
    const partitions = before.map(({ partition, offset }) => ({ partition, offset: String(offset) }));
    await this.#attempt(async (admin) => {
      // kafkajs looks up leaders only for topics whose metadata it has loaded.
      await topicOffsets(admin, topic);
      await admin.deleteTopicRecords({ topic, partitions }).catch((error: unknown) => {
        throw toKafkaError(reasonOf(error));
      });
    });
  }

  async deleteTopics(topics: readonly string[]): Promise<void> {
    await this.#attempt((admin) => admin.deleteTopics({ topics: [...topics] }));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#session.end(() => this.#admin.disconnect());
  }
}

/** Returns a topic's offsets; retries, because the leader of a new topic may not know its role yet. */
export async function topicOffsets(admin: Admin, topic: string): Promise<PartitionOffsets[]> {
  const offsets = await retryKinds(() => admin.fetchTopicOffsets(topic), ['unavailable']);
  return offsets.map(({ partition, high, low }) => ({ partition, end: Number(high), start: Number(low) }));
}

/** Extracts the error of a partition: the outer error only says that there was one. */
function reasonOf(error: unknown): unknown {
  const { cause, partitions } = error as Error & { partitions?: readonly { error?: unknown }[] };
  if (!partitions && cause !== undefined) return reasonOf(cause);
  return partitions?.find((partition) => partition.error !== undefined)?.error ?? error;
}

function numbered(entries: readonly SeekEntry[]): PartitionOffset[] {
  return entries.map(({ partition, offset }) => ({ partition, offset: Number(offset) }));
}

function toTopicConfig({ topic, partitions, replicationFactor, config }: TopicSpec): ITopicConfig {
  const configEntries = Object.entries(config ?? {}).map(([name, value]) => ({ name, value }));
  return { topic, numPartitions: partitions, replicationFactor, configEntries };
}

function isRaceWithAnotherCreator(error: unknown): boolean {
  const errors = (error as { errors?: { type?: string }[] }).errors;
  return Array.isArray(errors) && errors.every(({ type }) => type === 'TOPIC_ALREADY_EXISTS');
}
