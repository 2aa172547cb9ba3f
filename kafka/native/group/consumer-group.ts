import { randomUUID } from 'node:crypto';
import { consumerGroupHeartbeatV1 } from '../../platformatic/index.js';
import { SerialQueue } from '../../../core/serial.js';
import { KafkaError, type GroupMembership, type Position } from '../../port.js';
import type { Cluster } from '../transport/cluster.js';
import type { Connections } from '../transport/connections.js';
import { brokerErrorNames, toKafkaError } from '../transport/errors.js';
import { Coordinator, type Group, type GroupOptions, type Joined } from './group.js';
import { retry } from '../transport/retry.js';
import { keepAlive } from './heartbeats.js';

/** Time to give up partitions, on top of the session timeout. */
const REBALANCE_MARGIN_MS = 30_000;
const LEAVE_LIMIT_MS = 2_000;
/** Interval until the broker has announced its own. */
const FIRST_INTERVAL_MS = 1_000;
/** Epochs with a special meaning. */
const JOINING = 0;
const LEAVING = -1;
/** Leaving epoch of a member with an instance id, which is expected back. */
const PAUSING = -2;

type Heartbeat = ReturnType<typeof consumerGroupHeartbeatV1.parseResponse>;

/**
 * The protocol of KIP-848, in which the broker assigns: each heartbeat reports the member's partitions, and each
 * response may change them. The library's consumer does not wait for records in flight before it gives up a
 * partition, so only its messages are used.
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
  /** Partitions assigned by the broker; undefined until it has sent an assignment. */
  #target: readonly number[] | undefined;
  /** True if the broker has removed this member: no partition may be kept. */
  #lost = false;
  /** True if the partitions owned before the next `join` are void, whatever its result. */
  #isNew = true;
  #beating: Promise<void> | undefined;
  readonly #turns = new SerialQueue();
  /** True if the broker may have missed the last heartbeat: the next one must be complete. */
  #mustSendAll = false;
  #failure: KafkaError | undefined;
  #wake: () => void = () => undefined;

  constructor(
    readonly cluster: Cluster,
    readonly options: GroupOptions,
  ) {
    this.#connections = cluster.newConnections();
    this.#coordinator = new Coordinator(cluster, 'GROUP', options.group, this.#connections);
  }

  async join(): Promise<Joined> {
    if (this.#lost || this.#epoch === JOINING) await this.#rejoin();
    this.#owned = this.#target ?? [];
    await this.#sendFullHeartbeat();
    this.#beating ??= this.#keepAlive();
    const isNew = this.#isNew;
    this.#isNew = false;
    return { partitions: this.#owned, isNew };
  }

  /** Joins as a new member. The first assignment arrives with the response, or later if others must revoke first. */
  async #rejoin(): Promise<void> {
    this.#epoch = JOINING;
    this.#owned = [];
    this.#target = undefined;
    this.#topicId = (await this.cluster.refresh(this.options.topic)).id;
    this.#isNew = true;
    await this.#sendFullHeartbeat();
    this.#lost = false;
  }

  #sendFullHeartbeat(): Promise<void> {
    return retry(() => this.#heartbeat(true), { signal: this.#leaving.signal });
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

  #keepAlive(): Promise<void> {
    return keepAlive(
      {
        outage: this.cluster.outage,
        beat: () => this.#beat(),
        intervalMs: () => this.#intervalMs,
        onRefused: (error) => this.#refused(error),
      },
      this.#leaving.signal,
    );
  }

  /** Sends a heartbeat, unless the member was removed and must rejoin first. */
  async #beat(): Promise<void> {
    try {
      if (!this.#lost) await this.#heartbeat(false);
    } finally {
      this.#wake();
    }
  }

  #refused(error: KafkaError): void {
    if (error.kind === 'rebalanced') return;
    this.#failure = error;
    this.#wake();
  }

  /**
   * Sends heartbeats one at a time: a response overtaken by a later one would restore an old epoch.
   * @param complete true to send the member's full state rather than a plain heartbeat
   */
  #heartbeat(complete: boolean): Promise<void> {
    return this.#turns.run(async () => {
      try {
        this.#apply(await this.#ask(complete || this.#mustSendAll));
        this.#mustSendAll = false;
      } catch (error) {
        this.#mustSendAll = true;
        if (toKafkaError(error).kind === 'rebalanced') this.#lost = true;
        throw error;
      }
    });
  }

  #ask(complete: boolean): Promise<Heartbeat> {
    const { group, topic, instanceId, sessionTimeoutMs } = this.options;
    const owned = this.#owned.length > 0 ? [{ topicId: this.#topicId, partitions: [...this.#owned] }] : [];
    return this.#coordinator.request(consumerGroupHeartbeatV1.api, [
      group,
      this.#memberId,
      this.#epoch,
      instanceId ?? null,
      null,
      complete ? sessionTimeoutMs + REBALANCE_MARGIN_MS : -1,
      complete ? [topic] : null,
      null,
      null,
      (complete ? owned : null) as typeof owned,
    ]);
  }

  #apply({ memberEpoch, heartbeatIntervalMs, assignment }: Heartbeat): void {
    this.#epoch = memberEpoch;
    if (heartbeatIntervalMs > 0) this.#intervalMs = heartbeatIntervalMs;
    if (!assignment) return;
    const { topicPartitions } = assignment;
    const own = topicPartitions.find(({ topicId }) => topicId === this.#topicId) ?? topicPartitions[0];
    if (own && own.topicId !== this.#topicId) this.#topicRecreated(own.topicId);
    this.#target = own?.partitions ?? [];
  }

  /** Handles a recreated topic: previously owned partitions no longer exist. */
  #topicRecreated(topicId: string): void {
    this.#topicId = topicId;
    this.#owned = [];
    this.#isNew = true;
  }

  notePartitionCount(): void {
    // The broker notices by itself.
  }

  /**
   * Commits, except for partitions no longer owned: they may belong to a deleted topic, and the offset must not be
   * applied to its successor.
   */
  async commit(positions: readonly Position[]): Promise<void> {
    if (positions.some(({ partition }) => !this.#owned.includes(partition)))
      throw new KafkaError('rebalanced', `group ${this.options.group} has revoked partitions`);
    try {
      await this.#commitOnce(positions);
    } catch (error) {
      if (!brokerErrorNames(error).includes('STALE_MEMBER_EPOCH')) throw error;
      // The epoch has changed without revoking any partition of this member; the next heartbeat returns the new one.
      await this.#heartbeat(false);
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
