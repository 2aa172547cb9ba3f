import { randomUUID } from 'node:crypto';
import { consumerGroupHeartbeatV1 } from '@platformatic/kafka';
import { SerialQueue } from '../../../core/serial.js';
import { KafkaError, type GroupMembership, type Position } from '../../port.js';
import type { Cluster } from '../transport/cluster.js';
import type { Connections } from '../transport/connections.js';
import { brokerErrorNames, toKafkaError } from '../transport/errors.js';
import { Coordinator, type Group, type GroupOptions, type Joined } from './group.js';
import { retry } from '../transport/retry.js';
import { keepAlive } from './heartbeats.js';

/** What it may take, beyond the session's, to give up partitions. */
const REBALANCE_MARGIN_MS = 30_000;
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
  /** Whether what was owned before the next `join` is void, whatever comes of that. */
  #isNew = true;
  #beating: Promise<void> | undefined;
  readonly #turns = new SerialQueue();
  /** Whether the broker may not have heard what was said last: all must be said again. */
  #unheard = false;
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
    if (this.#lost || this.#epoch === JOINING) await this.#joinAnew();
    this.#owned = this.#target ?? [];
    await this.#sayAll();
    this.#beating ??= this.#keepAlive();
    const isNew = this.#isNew;
    this.#isNew = false;
    return { partitions: this.#owned, isNew };
  }

  /** The first assignment comes with the answer, or soon: a member that others make room for has none at first. */
  async #joinAnew(): Promise<void> {
    this.#epoch = JOINING;
    this.#owned = [];
    this.#target = undefined;
    this.#topicId = (await this.cluster.refresh(this.options.topic)).id;
    this.#isNew = true;
    await this.#sayAll();
    this.#lost = false;
  }

  #sayAll(): Promise<void> {
    return retry(() => this.#say(true), { signal: this.#leaving.signal });
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

  /** Who is forgotten has nothing to say before it joins anew. */
  async #beat(): Promise<void> {
    try {
      if (!this.#lost) await this.#say(false);
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
   * A sign of life, one at a time: an answer that is overtaken would bring an old epoch back.
   * @param complete whether to say all about this member, or just that it lives
   */
  #say(complete: boolean): Promise<void> {
    return this.#turns.run(async () => {
      try {
        this.#take(await this.#ask(complete || this.#unheard));
        this.#unheard = false;
      } catch (error) {
        this.#unheard = true;
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

  #take({ memberEpoch, heartbeatIntervalMs, assignment }: Heartbeat): void {
    this.#epoch = memberEpoch;
    if (heartbeatIntervalMs > 0) this.#intervalMs = heartbeatIntervalMs;
    if (!assignment) return;
    const { topicPartitions } = assignment;
    const own = topicPartitions.find(({ topicId }) => topicId === this.#topicId) ?? topicPartitions[0];
    if (own && own.topicId !== this.#topicId) this.#exchange(own.topicId);
    this.#target = own?.partitions ?? [];
  }

  /** The topic, which is the only one, was deleted and made anew: what was owned is gone. */
  #exchange(topicId: string): void {
    this.#topicId = topicId;
    this.#owned = [];
    this.#isNew = true;
  }

  topicHas(): void {
    // The broker sees for itself.
  }

  /** What is no longer owned may be of a topic that is gone, and must not become a position in its successor. */
  async commit(positions: readonly Position[]): Promise<void> {
    if (positions.some(({ partition }) => !this.#owned.includes(partition)))
      throw new KafkaError('rebalanced', `group ${this.options.group} has taken partitions away`);
    try {
      await this.#commitOnce(positions);
    } catch (error) {
      if (!brokerErrorNames(error).includes('STALE_MEMBER_EPOCH')) throw error;
      // The group has moved on without taking anything from this member: the next sign of life tells its new epoch.
      await this.#say(false);
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
