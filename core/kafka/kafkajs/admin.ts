import kafkajs, { type Admin, type ITopicConfig, type SeekEntry } from 'kafkajs';
import type { CommittedPosition, KafkaAdmin, PartitionOffset, PartitionOffsets, TopicSpec } from '../port.js';
import { toConnectError, toKafkaError } from './errors.js';
import { retryPassing } from './retry.js';
import './all-offsets.js';

/** Administration on kafkajs. */
export class KafkaJsAdmin implements KafkaAdmin {
  constructor(
    readonly admin: Admin,
    readonly brokers: readonly string[],
  ) {}

  async connect(): Promise<void> {
    await this.admin.connect().catch((error: unknown) => {
      throw toConnectError(error, this.brokers);
    });
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<string[]> {
    const existing = new Set(await this.listTopics());
    const missing = topics.filter(({ topic }) => !existing.has(topic));
    if (missing.length === 0) return [];
    try {
      await this.admin.createTopics({ topics: missing.map(toTopicConfig), waitForLeaders: false });
    } catch (error) {
      if (!isRaceWithAnotherCreator(error)) throw toKafkaError(error);
    }
    const created = missing.map(({ topic }) => topic);
    await this.#haveLeaders(created);
    return created;
  }

  /** kafkajs waits for leaders as well, but gives up when the broker that it asks has not yet heard of the topic. */
  async #haveLeaders(topics: string[]): Promise<void> {
    await retryPassing(() => this.admin.fetchTopicMetadata({ topics }), ['unknown-topic', 'unavailable']);
  }

  listTopics(): Promise<string[]> {
    return attempt(this.admin.listTopics());
  }

  async partitionCount(topic: string): Promise<number | undefined> {
    try {
      const { topics } = await this.admin.fetchTopicMetadata({ topics: [topic] });
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
    const { resources } = await attempt(this.admin.describeConfigs(query));
    return new Map(
      resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
    );
  }

  async brokerSettings(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { brokers } = await attempt(this.admin.describeCluster());
    const resource = {
      type: kafkajs.ConfigResourceTypes.BROKER,
      name: String(brokers[0]?.nodeId),
      configNames: [...names],
    };
    const { resources } = await attempt(
      this.admin.describeConfigs({ includeSynonyms: false, resources: [resource] }),
    );
    return new Map(
      resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
    );
  }

  async offsets(topic: string): Promise<PartitionOffsets[]> {
    return topicOffsets(this.admin, topic);
  }

  async offsetsAt(topic: string, timestamp: number): Promise<PartitionOffset[]> {
    const ask = (): Promise<SeekEntry[]> => this.admin.fetchTopicOffsetsByTimestamp(topic, timestamp);
    return numbered(await retryPassing(ask, ['unavailable']));
  }

  async committed(group: string, topic: string): Promise<CommittedPosition[]> {
    const [found] = await attempt(this.admin.fetchOffsets({ groupId: group, topics: [topic] }));
    return (found?.partitions ?? []).map(({ partition, offset, metadata }) => ({
      partition,
      offset: Number(offset),
      metadata: metadata ?? '',
    }));
  }

  async deleteRecords(topic: string, before: readonly PartitionOffset[]): Promise<void> {
    // kafkajs looks for the leaders of topics that it knows already.
    await topicOffsets(this.admin, topic);
    const partitions = before.map(({ partition, offset }) => ({ partition, offset: String(offset) }));
    await this.admin.deleteTopicRecords({ topic, partitions }).catch((error: unknown) => {
      throw toKafkaError(reasonOf(error));
    });
  }

  async deleteTopics(topics: readonly string[]): Promise<void> {
    await attempt(this.admin.deleteTopics({ topics: [...topics] }));
  }

  async close(): Promise<void> {
    await attempt(this.admin.disconnect());
  }
}

/** Of a topic that was just made the broker may not yet know that it is the leader. */
export async function topicOffsets(admin: Admin, topic: string): Promise<PartitionOffsets[]> {
  const offsets = await retryPassing(() => admin.fetchTopicOffsets(topic), ['unavailable']);
  return offsets.map(({ partition, high, low }) => ({ partition, end: Number(high), start: Number(low) }));
}

/** kafkajs says what was wrong with each partition, and of the whole only that something was. */
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

async function attempt<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw toKafkaError(error);
  }
}
