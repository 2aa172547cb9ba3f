import { offsetCommitV8, offsetCommitV9, type API } from '@platformatic/kafka';
import type { GroupMembership, Position } from '../../port.js';
import type { Cluster } from '../transport/cluster.js';
import type { Broker, Connections } from '../transport/connections.js';
import { brokerErrorNames, toKafkaError } from '../transport/errors.js';

export interface GroupOptions {
  readonly group: string;
  readonly topic: string;
  readonly sessionTimeoutMs: number;
  readonly instanceId?: string | undefined;
}

/**
 * Membership in a consumer group, by one of Kafka's two protocols. `join` and `over` alternate: a member has its
 * partitions from the one to the other, and gives up those that it may not keep before it joins again.
 */
export interface Group {
  /**
   * Joins, or agrees to what it was told by `over`.
   * @throws KafkaError when the broker won't have it, or `unavailable` when it is away
   */
  join(): Promise<Joined>;
  /** Resolves when the group assigns anew, with the partitions that may be kept meanwhile. Signs of life go on. */
  over(): Promise<readonly number[]>;
  /** Asks the group to assign anew, since the topic has more partitions. */
  topicHas(partitions: number): void;
  commit(positions: readonly Position[]): Promise<void>;
  membership(): GroupMembership;
  /** Leaves; a member with an instance id only stops giving signs of life. */
  leave(): Promise<void>;
}

export interface Joined {
  /** All partitions that this member has now. */
  readonly partitions: readonly number[];
  /** Whether it came as a newcomer: partitions that it had before were not kept, even when it has them again. */
  readonly isNew: boolean;
}

const NO_EPOCH = -1;
const REQUEST_LIMIT_MS = 10_000;
const COORDINATOR_MOVED = new Set([
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
]);

/** The broker that keeps a group, or transactions: looked up when first needed and when it turns out to be another. */
export class Coordinator {
  #broker: Promise<Broker> | undefined;

  /** @param connections joining a group waits for others, and has connections of its own for that */
  constructor(
    readonly cluster: Cluster,
    readonly of: 'GROUP' | 'TRANSACTION',
    readonly name: string,
    readonly connections: Connections = cluster.connections,
  ) {}

  async request<A extends unknown[], R>(api: API<A, R>, args: A, limitMs = REQUEST_LIMIT_MS): Promise<R> {
    try {
      return await this.connections.request(await this.#find(), api, args, limitMs);
    } catch (error) {
      if (isMoved(error)) this.#broker = undefined;
      throw error;
    }
  }

  async #find(): Promise<Broker> {
    this.#broker ??= this.cluster.coordinator(this.of, this.name);
    try {
      return await this.#broker;
    } catch (error) {
      this.#broker = undefined;
      throw error;
    }
  }

  /** Commits with whatever the group knows this member by. */
  async commit(
    { memberId, generation, instanceId }: GroupMembership,
    positions: readonly Position[],
    version: 8 | 9 = 8,
  ): Promise<void> {
    const { api } = version === 8 ? offsetCommitV8 : offsetCommitV9;
    const topics = offsetsByTopic(positions);
    await this.request(api, [this.name, generation, memberId, instanceId ?? null, topics]);
  }
}

function isMoved(error: unknown): boolean {
  const names = brokerErrorNames(error);
  return names.length === 0
    ? toKafkaError(error).kind === 'unavailable'
    : names.some((name) => COORDINATOR_MOVED.has(name));
}

/** Offsets as requests that commit them want them. */
export function offsetsByTopic(positions: readonly Position[]): {
  name: string;
  partitions: {
    partitionIndex: number;
    committedOffset: bigint;
    committedLeaderEpoch: number;
    committedMetadata: string | null;
  }[];
}[] {
  const names = [...new Set(positions.map(({ topic }) => topic))];
  return names.map((name) => ({
    name,
    partitions: positions
      .filter(({ topic }) => topic === name)
      .map(({ partition, offset, metadata }) => ({
        partitionIndex: partition,
        committedOffset: BigInt(offset),
        committedLeaderEpoch: NO_EPOCH,
        committedMetadata: metadata ?? null,
      })),
  }));
}
