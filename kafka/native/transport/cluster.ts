import {
  apiVersionsV3,
  FetchIsolationLevels,
  FindCoordinatorKeyTypes,
  findCoordinatorV4,
  listOffsetsV7,
  metadataV11,
  offsetFetchV8,
  type API,
} from '../../platformatic/index.js';
import { mustParseAddress } from '../../../core/address.js';
import { NO_OUTAGES, type OutageLink } from '../../errors/outages.js';
import { KafkaError, type CommittedPosition } from '../../port.js';
import type { OwnRequest } from '../protocol/send.js';
import { Connections, type Broker, type ConnectionSettings } from './connections.js';
import { brokerError, errorName, responseOf, toConnectError, toKafkaError } from './errors.js';
import { retry } from './retry.js';

const NO_LEADER = -1;
const NO_REPLICA = -1;
const NO_EPOCH = -1;
const SOFTWARE = 'partitura';
/** Timeout of the first request, which a live broker answers at once. */
const FIRST_ANSWER_LIMIT_MS = 5_000;

/** Requests used by this client, by key, in the one version that all brokers from Kafka 3.2 to 4.x support. */
const NEEDED = {
  Fetch: [1, 13],
  Metadata: [3, 11],
  FindCoordinator: [10, 4],
  OffsetFetch: [9, 8],
  JoinGroup: [11, 9],
} as const;

/** Versions of a request that a broker supports. */
interface VersionRange {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** Lists the requests that this client needs and a broker does not support: `version 13 of Fetch`. */
export function missingRequests(supported: readonly VersionRange[]): string[] {
  return Object.entries(NEEDED).flatMap(([name, [key, version]]) => {
    const known = supported.find(({ apiKey }) => apiKey === key);
    const isSupported = known && known.minVersion <= version && known.maxVersion >= version;
    return isSupported ? [] : [`version ${version} of ${name}`];
  });
}

/** Two leaderless observations no further apart than this count as one outage. */
const LEADERLESS_BETWEEN_MS = 60_000;
/** Older observations are considered stale. */
const LEADERLESS_SEEN_MS = 5_000;

/** First and last observation of a partition without a leader. */
interface Leaderless {
  readonly since: number;
  readonly seen: number;
}

/** Special timestamps of ListOffsets requests. */
export const EARLIEST = -2n;
export const LATEST = -1n;

export interface TopicMetadata {
  readonly name: string;
  /** A recreated topic of the same name has another id. */
  readonly id: string;
  /** Time of the request, in milliseconds of the cluster's clock. */
  readonly askedAt: number;
  /** Leader of each partition, by partition; undefined if there is none. */
  readonly leaders: readonly (number | undefined)[];
}

type MetadataResponse = ReturnType<typeof metadataV11.parseResponse>;

export interface ClusterOptions {
  /** Reports persistent failures caused by unavailable brokers; closed with the cluster. */
  readonly outage?: OutageLink;
  /** Creates separate connections, for requests that may block others. */
  readonly newConnections?: () => Connections;
  readonly now?: () => number;
}

/**
 * Cached cluster metadata, and requests to the responsible broker. Metadata is loaded on demand and kept until a
 * caller invalidates it.
 */
export class Cluster {
  readonly connections: Connections;
  readonly #bootstrap: readonly Broker[];
  readonly #topics = new Map<string, TopicMetadata>();
  readonly #leaderless = new Map<string, Leaderless>();
  readonly #closing = new AbortController();
  readonly outage: OutageLink;
  readonly newConnections: () => Connections;
  readonly now: () => number;
  #brokers = new Map<number, Broker>();
  #controller: number | undefined;
  /** Rotates among all brokers for requests that any of them can answer. */
  #turn = 0;

  constructor(
    readonly settings: ConnectionSettings,
    readonly addresses: readonly string[],
    {
      outage = NO_OUTAGES,
      newConnections = () => new Connections(settings),
      now = () => performance.now(),
    }: ClusterOptions = {},
  ) {
    this.outage = outage;
    this.newConnections = newConnections;
    this.now = now;
    this.connections = newConnections();
    this.#bootstrap = addresses.map(mustParseAddress);
  }

  /** Aborts when the cluster is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** @throws KafkaError that names the addresses if no broker can be used */
  async connect(): Promise<void> {
    try {
      await retry(() => this.#checkVersions(), {
        signal: this.closing,
        onFailure: (error) => this.outage.note(error),
      });
    } catch (error) {
      throw toConnectError(error, this.addresses);
    }
  }

  /** Checks the broker's versions: older brokers close the connection on unknown requests without an error. */
  async #checkVersions(): Promise<void> {
    const { apiKeys } = await this.anyBroker(apiVersionsV3.api, [SOFTWARE, '1'], FIRST_ANSWER_LIMIT_MS);
    const [lacking] = missingRequests(apiKeys);
    if (lacking !== undefined)
      throw new KafkaError(
        'other',
        `the broker does not support ${lacking}: Kafka 3.2 or later is required, or KAFKA_CLIENT=kafkajs`,
      );
  }

  /** Sends a request to any broker: the one that answered last, or the next one that can be reached. */
  anyBroker<A extends unknown[], R>(api: API<A, R>, args: A, limitMs?: number): Promise<R> {
    return this.#toAny((broker) => this.connections.request(broker, api, args, limitMs));
  }

  /** Sends one of our own requests to any broker. */
  sendToAny<R>(request: OwnRequest<R>, limitMs: number): Promise<R> {
    return this.#toAny((broker) => this.connections.send(broker, request, limitMs));
  }

  async #toAny<R>(send: (broker: Broker) => Promise<R>): Promise<R> {
    const broker = await this.#reachable();
    try {
      return await send(broker);
    } catch (error) {
      this.#turn++;
      throw error;
    }
  }

  async #reachable(): Promise<Broker> {
    const all = [...this.#brokers.values(), ...this.#bootstrap];
    let problem: unknown;
    for (let tried = 0; tried < all.length; tried++) {
      const broker = all[this.#turn % all.length];
      try {
        if (broker) await this.connections.to(broker);
        if (broker) return broker;
      } catch (error) {
        problem = error;
        this.#turn++;
      }
    }
    throw problem;
  }

  /** Returns cached topic metadata, unless it is older than `maxAgeMs`. */
  known(name: string, maxAgeMs = Infinity): TopicMetadata | undefined {
    const topic = this.#topics.get(name);
    return topic && this.now() - topic.askedAt <= maxAgeMs ? topic : undefined;
  }

  /** @throws KafkaError `unknown-topic` if it does not exist, `unavailable` if no broker can be reached */
  async topic(name: string): Promise<TopicMetadata> {
    return this.#topics.get(name) ?? (await this.refresh(name));
  }

  /** Invalidates a topic's metadata. */
  forget(name: string): void {
    this.#topics.delete(name);
  }

  /** Refreshes a topic's metadata. */
  async refresh(name: string): Promise<TopicMetadata> {
    this.forget(name);
    const { topics } = await this.#metadata([name]);
    const found = topics[0];
    if (found?.errorCode) throw brokerError(errorName(found.errorCode), `topic ${name}`);
    if (!found) throw brokerError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${name}`);
    const leaders: (number | undefined)[] = [];
    for (const { partitionIndex, leaderId } of found.partitions)
      leaders[partitionIndex] = leaderId === NO_LEADER ? undefined : leaderId;
    const topic = { name, id: found.topicId, askedAt: this.now(), leaders };
    this.#topics.set(name, topic);
    this.#noteLeaderless(topic);
    return topic;
  }

  #noteLeaderless({ name, leaders }: TopicMetadata): void {
    const seen = this.now();
    for (const [partition, leader] of leaders.entries()) {
      const key = `${name} ${partition}`;
      const before = this.#leaderless.get(key);
      if (leader !== undefined) this.#leaderless.delete(key);
      else
        this.#leaderless.set(key, {
          since: before && seen - before.seen <= LEADERLESS_BETWEEN_MS ? before.since : seen,
          seen,
        });
    }
  }

  /** Returns how long a partition has had no leader, as far as observed; 0 without a recent observation. */
  leaderlessMs(name: string, partition: number): number {
    const found = this.#leaderless.get(`${name} ${partition}`);
    return found && this.now() - found.seen <= LEADERLESS_SEEN_MS ? found.seen - found.since : 0;
  }

  /** Returns true if any partition had a leader when last refreshed: the cluster is not down as a whole. */
  get isLed(): boolean {
    return [...this.#topics.values()].some(({ leaders }) => leaders.some((leader) => leader !== undefined));
  }

  async topicNames(): Promise<string[]> {
    const { topics } = await this.#metadata(null);
    return topics.flatMap(({ name }) => name ?? []);
  }

  async #metadata(topics: string[] | null): Promise<MetadataResponse> {
    const response = await this.anyBroker(metadataV11.api, [topics, false, false]).catch((error: unknown) => {
      const partial = responseOf<MetadataResponse>(error);
      if (!partial) throw error;
      return partial;
    });
    this.#brokers = new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    this.#controller = response.controllerId;
    return response;
  }

  /** @throws KafkaError `unavailable` for a broker that is not in the latest metadata */
  broker(node: number | undefined): Broker {
    const broker = node === undefined ? undefined : this.#brokers.get(node);
    if (!broker) throw brokerError('LEADER_NOT_AVAILABLE', `broker ${node}`);
    return broker;
  }

  /** @throws KafkaError `unavailable` if the metadata lists no broker */
  async someBroker(): Promise<{ id: number; broker: Broker }> {
    await this.#metadata([]);
    const [id] = this.#brokers.keys();
    return { id: id ?? NO_LEADER, broker: this.broker(id) };
  }

  async controller(): Promise<Broker> {
    await this.#metadata([]);
    return this.broker(this.#controller);
  }

  async coordinator(of: 'GROUP' | 'TRANSACTION', name: string): Promise<Broker> {
    const { coordinators } = await this.anyBroker(findCoordinatorV4.api, [
      FindCoordinatorKeyTypes[of],
      [name],
    ]);
    const [found] = coordinators;
    if (!found) throw brokerError('COORDINATOR_NOT_AVAILABLE', name);
    return { host: found.host, port: found.port };
  }

  /** Groups partitions by leader. @throws KafkaError `unavailable` if one has no leader */
  async byLeader(name: string, partitions: readonly number[]): Promise<Map<number, number[]>> {
    const { leaders } = await this.topic(name);
    const byLeader = new Map<number, number[]>();
    for (const partition of partitions) {
      if (partition >= leaders.length)
        throw new KafkaError('unknown-topic', `topic ${name} has no partition ${partition}`);
      const leader = leaders[partition];
      if (leader === undefined) throw brokerError('LEADER_NOT_AVAILABLE', `${name} ${partition}`);
      const led = byLeader.get(leader);
      if (led) led.push(partition);
      else byLeader.set(leader, [partition]);
    }
    return byLeader;
  }

  /** Returns the offsets of partitions at EARLIEST, LATEST or a timestamp. */
  async listOffsets(
    name: string,
    partitions: readonly number[],
    timestampSpec: bigint,
  ): Promise<Map<number, number>> {
    try {
      const asked = [...(await this.byLeader(name, partitions))].map(([leader, led]) =>
        this.#listOffsetsOf(leader, name, led, timestampSpec),
      );
      return new Map((await Promise.all(asked)).flat());
    } catch (error) {
      this.forget(name);
      throw error;
    }
  }

  async #listOffsetsOf(
    leader: number,
    name: string,
    partitions: readonly number[],
    timestampSpec: bigint,
  ): Promise<[number, number][]> {
    const asked = partitions.map((partitionIndex) => ({
      partitionIndex,
      currentLeaderEpoch: NO_EPOCH,
      timestamp: timestampSpec,
    }));
    const answered = this.connections.request(this.broker(leader), listOffsetsV7.api, [
      NO_REPLICA,
      FetchIsolationLevels.READ_UNCOMMITTED,
      [{ name, partitions: asked }],
    ]);
    const { topics } = await answered.catch((cause: unknown) => {
      throw unlessNew(toKafkaError(cause), name);
    });
    return (topics[0]?.partitions ?? []).map(({ partitionIndex, offset }) => [
      partitionIndex,
      Number(offset),
    ]);
  }

  /** Returns a group's committed offsets; -1 if there is none. */
  async committed(group: string, name: string, partitions: readonly number[]): Promise<CommittedPosition[]> {
    const coordinator = await this.coordinator('GROUP', group);
    const asked = {
      groupId: group,
      memberEpoch: NO_EPOCH,
      topics: [{ name, partitionIndexes: [...partitions] }],
    };
    const { groups } = await this.connections.request(coordinator, offsetFetchV8.api, [[asked], true]);
    const found = groups[0]?.topics[0]?.partitions ?? [];
    return found.map(({ partitionIndex, committedOffset, metadata }) => ({
      partition: partitionIndex,
      offset: Number(committedOffset),
      metadata: metadata ?? '',
    }));
  }

  close(): void {
    this.#closing.abort();
    this.outage.close();
    this.connections.close();
  }
}

/** Returns a temporary error if a leader does not know a topic that the metadata has: it was created a moment ago. */
function unlessNew(error: KafkaError, topic: string): KafkaError {
  if (error.kind !== 'unknown-topic') return error;
  return new KafkaError('unavailable', `the leader of ${topic} does not know it yet`, { cause: error });
}
