import { randomUUID } from 'node:crypto';
import { consumerGroupHeartbeatV1 } from '@platformatic/kafka';
import { backoffMs, sleep } from '../../retry.js';
import type { Logger } from '../../log.js';
import type { KafkaError, GroupMembership } from '../port.js';
import type { Cluster } from './cluster.js';
import type { Connections } from './connections.js';
import { brokerErrorNames, toKafkaError } from './errors.js';
import { Coordinator, type Group, type GroupOptions, type Position } from './group.js';
import { BACKOFF, retry } from './retry.js';

const REBALANCE_TIMEOUT_MS = 30_000;
const LEAVE_LIMIT_MS = 2_000;
/** Until the broker has said how often it wants a sign of life. */
const FIRST_INTERVAL_MS = 1_000;
/** Epochs that say what a member is about. */
const JOINING = 0;
const LEAVING = -1;
/** Of a member with an instance id, which is expected back. */
const PAUSING = -2;

type Heartbeat = ReturnType<typeof consumerGroupHeartbeatV1.parseResponse>;

/**
 * The protocol of KIP-848, in which the broker assigns: each sign of life says what the member has, each answer may say
 * what it should have. The library's consumer does not wait for work under way before it lets go of a partition, so
 * only its messages are used.
 */
export class ConsumerGroup implements Group {
  readonly #coordinator: Coordinator;
  readonly #connections: Connections;
  readonly #leaving = new AbortController();
  readonly #memberId = randomUUID();
  #epoch = JOINING;
  #intervalMs = FIRST_INTERVAL_MS;
  #topicId = '';
  #owned: readonly number[] = [];
  /** What the broker wants this member to have; undefined until it has said so. */
  #target: readonly number[] | undefined;
  /** Whether the broker has forgotten this member: nothing may be kept. */
  #lost = false;
  #beating: Promise<void> | undefined;
  #failure: KafkaError | undefined;
  #wake: () => void = () => undefined;

  constructor(
    readonly cluster: Cluster,
    readonly options: GroupOptions,
    readonly log: Logger,
  ) {
    this.#connections = cluster.newConnections();
    this.#coordinator = new Coordinator(cluster, 'GROUP', options.group, this.#connections);
  }

  async join(): Promise<readonly number[]> {
    if (this.#lost || this.#epoch === JOINING) await this.#joinAnew();
    this.#owned = this.#target ?? [];
    await retry(() => this.#beatOnce(true), { signal: this.#leaving.signal });
    this.#beating ??= this.#beat();
    return this.#owned;
  }

  /** The first assignment comes with the answer, or soon: a member that others make room for has none at first. */
  async #joinAnew(): Promise<void> {
    this.#epoch = JOINING;
    this.#owned = [];
    this.#target = undefined;
    this.#topicId = (await this.cluster.refresh(this.options.topic)).id;
    await retry(() => this.#beatOnce(true), { signal: this.#leaving.signal });
    this.#lost = false;
  }

  async over(): Promise<readonly number[]> {
    while (!this.#isOver()) await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#failure) throw this.#failure;
    return this.#lost ? [] : this.#owned.filter((partition) => this.#target?.includes(partition));
  }

  #isOver(): boolean {
    if (this.#failure || this.#lost || this.#leaving.signal.aborted) return true;
    const target = this.#target ?? this.#owned;
    return (
      target.length !== this.#owned.length || target.some((partition) => !this.#owned.includes(partition))
    );
  }

  async #beat(): Promise<void> {
    const { signal } = this.#leaving;
    for (let failures = 0; !signal.aborted;) {
      const pauseMs = failures > 0 ? backoffMs(BACKOFF, failures) : this.#intervalMs;
      await sleep(Math.min(this.#intervalMs, pauseMs), signal);
      if (signal.aborted || this.#lost) continue;
      try {
        await this.#beatOnce(false);
        failures = 0;
      } catch (cause) {
        this.#fail(toKafkaError(cause), failures++);
      }
      this.#wake();
    }
  }

  #fail(error: KafkaError, before: number): void {
    if (error.kind === 'rebalanced') this.#lost = true;
    else if (error.kind !== 'unavailable') this.#failure = error;
    else if (before === 0)
      this.log.warn({ err: error, group: this.options.group }, 'a sign of life failed; it is tried on');
  }

  /** @param complete whether to say all about this member, or just that it lives */
  async #beatOnce(complete: boolean): Promise<void> {
    const { group, topic, instanceId } = this.options;
    const owned = this.#owned.length > 0 ? [{ topicId: this.#topicId, partitions: [...this.#owned] }] : [];
    const answer = await this.#coordinator.request(consumerGroupHeartbeatV1.api, [
      group,
      this.#memberId,
      this.#epoch,
      instanceId ?? null,
      null,
      complete ? REBALANCE_TIMEOUT_MS : -1,
      complete ? [topic] : null,
      null,
      null,
      (complete ? owned : null) as typeof owned,
    ]);
    this.#take(answer);
  }

  #take({ memberEpoch, heartbeatIntervalMs, assignment }: Heartbeat): void {
    this.#epoch = memberEpoch;
    if (heartbeatIntervalMs > 0) this.#intervalMs = heartbeatIntervalMs;
    if (!assignment) return;
    const own = assignment.topicPartitions.find(({ topicId }) => topicId === this.#topicId);
    this.#target = own?.partitions ?? [];
  }

  topicHas(): void {
    // The broker sees for itself.
  }

  async commit(positions: readonly Position[]): Promise<void> {
    try {
      await this.#commitOnce(positions);
    } catch (error) {
      if (!brokerErrorNames(error).includes('STALE_MEMBER_EPOCH')) throw error;
      // The group has moved on without taking anything from this member: the next sign of life tells its new epoch.
      await this.#beatOnce(false);
      await this.#commitOnce(positions);
    }
  }

  #commitOnce(positions: readonly Position[]): Promise<void> {
    return this.#coordinator.commit(this.membership(), positions, 9);
  }

  membership(): GroupMembership {
    const { group, instanceId } = this.options;
    return { group, memberId: this.#memberId, generation: this.#epoch, instanceId };
  }

  async leave(): Promise<void> {
    this.#leaving.abort();
    this.#wake();
    const { group, instanceId } = this.options;
    const epoch = instanceId === undefined ? LEAVING : PAUSING;
    try {
      await this.#beating;
      if (this.#epoch !== JOINING)
        await this.#coordinator.request(
          consumerGroupHeartbeatV1.api,
          [group, this.#memberId, epoch, instanceId ?? null, null, -1, null, null, null, []],
          LEAVE_LIMIT_MS,
        );
    } finally {
      this.#connections.close();
    }
  }
}
