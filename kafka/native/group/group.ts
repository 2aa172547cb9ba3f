import { offsetCommitV8, offsetCommitV9, type API } from '../../platformatic/index.js';
import type { GroupMembership, Position } from '../../port.js';
import type { OwnRequest } from '../protocol/send.js';
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
 * Membership in a consumer group, with one of Kafka's two protocols. `join` and `over` alternate: a member owns its
 * partitions from `join` until `over` resolves, and gives up those that it may not keep before it joins again.
 */
export interface Group {
  /**
   * Joins, or accepts the new assignment that `over` announced.
   * @throws KafkaError if the broker refuses, `unavailable` if it cannot be reached
   */
  join(): Promise<Joined>;
  /** Resolves when the group rebalances, with the partitions that may be kept. Heartbeats continue. */
  over(): Promise<readonly number[]>;
  /** Requests a rebalance, since the topic has more partitions. */
  notePartitionCount(partitions: number): void;
  commit(positions: readonly Position[]): Promise<void>;
  membership(): GroupMembership;
  /** Leaves; a member with an instance id only stops its heartbeats. */
  leave(): Promise<void>;
}

export interface Joined {
  /** All partitions of the new assignment. */
  readonly partitions: readonly number[];
  /** True if the member joined as a new one: its earlier partitions were not kept, even if assigned again. */
  readonly isNew: boolean;
}

const NO_EPOCH = -1;
const REQUEST_LIMIT_MS = 10_000;
const COORDINATOR_MOVED = new Set([
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
]);

/** The coordinator of a group or of transactions: looked up on first use and after it has moved. */
export class Coordinator {
  #broker: Promise<Broker> | undefined;

  /** @param connections separate ones for joining a group, which may wait for other members */
  constructor(
    readonly cluster: Cluster,
    readonly of: 'GROUP' | 'TRANSACTION',
    readonly name: string,
    readonly connections: Connections = cluster.connections,
  ) {}

  request<A extends unknown[], R>(api: API<A, R>, args: A, limitMs = REQUEST_LIMIT_MS): Promise<R> {
    return this.#ask((broker) => this.connections.request(broker, api, args, limitMs));
  }

  /** Sends one of our own requests. */
  send<R>(request: OwnRequest<R>, limitMs = REQUEST_LIMIT_MS): Promise<R> {
    return this.#ask((broker) => this.connections.send(broker, request, limitMs));
  }

  async #ask<R>(send: (broker: Broker) => Promise<R>): Promise<R> {
    try {
      return await send(await this.#find());
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

  /** Commits with the member's identity in the group. */
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

/** Converts positions to the format of commit requests. */
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
