import {
  ConfigResourceTypes,
  createTopicsV7,
  deleteRecordsV2,
  deleteTopicsV6,
  describeConfigsV4,
  type API,
} from '../platformatic/index.js';
import type { CommittedPosition, KafkaAdmin, PartitionOffset, PartitionOffsets, TopicSpec } from '../port.js';
import type { PartitionLag } from '../share-port.js';
import { shareGroupLag } from './protocol/share-offsets.js';
import { EARLIEST, LATEST, type Cluster } from './transport/cluster.js';
import { brokerError, brokerErrorNames, toKafkaError } from './transport/errors.js';
import { checkShareGroups } from './share/share-group-support.js';
import { retry } from './transport/retry.js';

/** Offset in the response if no record is recent enough. */
const NO_OFFSET = -1;
/** Timeout for the responsible broker; the request itself has slightly more. */
const BROKER_LIMIT_MS = 12_000;

/** Administration by single requests to the responsible broker. */
export class NativeAdmin implements KafkaAdmin {
  constructor(readonly cluster: Cluster) {}

  connect(): Promise<void> {
    return this.cluster.connect();
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<string[]> {
    const existing = new Set(await this.listTopics());
    const missing = topics.filter(({ topic }) => !existing.has(topic));
    if (missing.length === 0) return [];
    await this.#create(missing);
    await Promise.all(missing.map(({ topic }) => this.#retry(() => this.#waitForLeaders(topic))));
    return missing.map(({ topic }) => topic);
  }

  async #create(topics: readonly TopicSpec[]): Promise<void> {
    const specs = topics.map(({ topic, partitions, replicationFactor, config }) => ({
      name: topic,
      numPartitions: partitions,
      replicationFactor,
      assignments: [],
      configs: Object.entries(config ?? {}).map(([name, value]) => ({ name, value })),
    }));
    try {
      await this.#ask(createTopicsV7.api, [specs, BROKER_LIMIT_MS, false]);
    } catch (error) {
      if (!isRaceWithAnotherCreator(error)) throw toKafkaError(error);
    }
  }

  async #ask<A extends unknown[], R>(api: API<A, R>, args: A): Promise<R> {
    const controller = await this.#retry(() => this.cluster.controller());
    return this.cluster.connections.request(controller, api, args);
  }

  /** Waits for a new topic: brokers learn of it, and elect its leaders, after a moment. */
  async #waitForLeaders(topic: string): Promise<void> {
    const { leaders } = await this.cluster.refresh(topic).catch((error: unknown) => {
      const known = toKafkaError(error);
      throw known.kind === 'unknown-topic' ? brokerError('LEADER_NOT_AVAILABLE', topic) : known;
    });
    if (leaders.includes(undefined)) throw brokerError('LEADER_NOT_AVAILABLE', topic);
  }

  listTopics(): Promise<string[]> {
    return this.#retry(() => this.cluster.topicNames());
  }

  async partitionCount(topic: string): Promise<number | undefined> {
    try {
      return (await this.#retry(() => this.cluster.refresh(topic))).leaders.length;
    } catch (error) {
      const known = toKafkaError(error);
      if (known.kind === 'unknown-topic') return undefined;
      throw known;
    }
  }

  async topicSettings(topic: string, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { TOPIC } = ConfigResourceTypes;
    const resource = { resourceType: TOPIC, resourceName: topic, configurationKeys: [...names] };
    try {
      const { results } = await this.#retry(() =>
        this.cluster.anyBroker(describeConfigsV4.api, [[resource], false, false]),
      );
      return new Map(results[0]?.configs.map(({ name, value }) => [name, value ?? '']));
    } catch (error) {
      throw toKafkaError(error);
    }
  }

  async brokerSettings(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { BROKER } = ConfigResourceTypes;
    try {
      const { results } = await retry(async () => {
        const { id, broker } = await this.cluster.someBroker();
        const resource = { resourceType: BROKER, resourceName: String(id), configurationKeys: [...names] };
        return this.cluster.connections.request(broker, describeConfigsV4.api, [[resource], false, false]);
      });
      return new Map(results[0]?.configs.map(({ name, value }) => [name, value ?? '']));
    } catch (error) {
      throw toKafkaError(error);
    }
  }

  offsets(topic: string): Promise<PartitionOffsets[]> {
    return this.#retry(async () => {
      const partitions = await this.#partitions(topic);
      const starts = await this.cluster.listOffsets(topic, partitions, EARLIEST);
      const ends = await this.cluster.listOffsets(topic, partitions, LATEST);
      return partitions.map((partition) => ({
        partition,
        start: starts.get(partition) ?? 0,
        end: ends.get(partition) ?? 0,
      }));
    });
  }

  offsetsAt(topic: string, timestamp: number): Promise<PartitionOffset[]> {
    return this.#retry(async () => {
      const partitions = await this.#partitions(topic);
      const found = await this.cluster.listOffsets(topic, partitions, BigInt(timestamp));
      const missing = partitions.filter((partition) => (found.get(partition) ?? NO_OFFSET) === NO_OFFSET);
      const ends = await this.cluster.listOffsets(topic, missing, LATEST);
      return partitions.map((partition) => ({
        partition,
        offset: ends.get(partition) ?? found.get(partition) ?? 0,
      }));
    });
  }

  committed(group: string, topic: string): Promise<CommittedPosition[]> {
    return this.#retry(async () => this.cluster.committed(group, topic, await this.#partitions(topic)));
  }

  shareGroupProblem(): Promise<string | undefined> {
    return this.#retry(() => checkShareGroups(this.cluster));
  }

  shareGroupLag(group: string, topic: string): Promise<PartitionLag[]> {
    return this.#retry(async () => {
      const partitions = await this.#partitions(topic);
      const coordinator = await this.cluster.coordinator('GROUP', group);
      const request = shareGroupLag(group, topic, partitions);
      return this.cluster.connections.send(coordinator, request, BROKER_LIMIT_MS);
    });
  }

  async #partitions(topic: string): Promise<number[]> {
    const { leaders } = await this.cluster.refresh(topic);
    return Array.from(leaders.keys());
  }

  async deleteTopics(topics: readonly string[]): Promise<void> {
    try {
      await this.#ask(deleteTopicsV6.api, [topics.map((name) => ({ name })), BROKER_LIMIT_MS]);
    } catch (error) {
      throw toKafkaError(error);
    }
  }

  async deleteRecords(topic: string, before: readonly PartitionOffset[]): Promise<void> {
    try {
      await this.#retry(() => this.#deleteRecords(topic, before));
    } catch (error) {
      throw toKafkaError(error);
    }
  }

  /** Deletes records; deleting them again is not an error, so that the whole call can be retried. */
  async #deleteRecords(topic: string, before: readonly PartitionOffset[]): Promise<void> {
    await this.cluster.refresh(topic);
    const leaders = await this.cluster.byLeader(
      topic,
      before.map(({ partition }) => partition),
    );
    for (const [leader, led] of leaders) {
      const partitions = before
        .filter(({ partition }) => led.includes(partition))
        .map(({ partition, offset }) => ({ partitionIndex: partition, offset: BigInt(offset) }));
      await this.cluster.connections.request(this.cluster.broker(leader), deleteRecordsV2.api, [
        [{ name: topic, partitions }],
        BROKER_LIMIT_MS,
      ]);
    }
  }

  /** Retries until the cluster is closed. */
  #retry<T>(work: () => Promise<T>): Promise<T> {
    return retry(work, { signal: this.cluster.closing });
  }

  close(): Promise<void> {
    this.cluster.close();
    return Promise.resolve();
  }
}

function isRaceWithAnotherCreator(error: unknown): boolean {
  const names = brokerErrorNames(error);
  return names.length > 0 && names.every((name) => name === 'TOPIC_ALREADY_EXISTS');
}
