import { describeGroupsV5, heartbeatV4, joinGroupV9, leaveGroupV4, syncGroupV5 } from '@platformatic/kafka';
import type { Logger } from '../../../core/log.js';
import { KafkaError, type GroupMembership, type Position } from '../../port.js';
import { dealOut, FOREIGN_LEADER_REMOVED, isForeign } from '../../subscriptions.js';
import { ASSIGNER, decodeAssignment, encodeAssignment, encodeSubscription } from '../protocol/assignment.js';
import type { Cluster } from '../transport/cluster.js';
import type { Connections } from '../transport/connections.js';
import { brokerErrorNames, responseOf } from '../transport/errors.js';
import { Coordinator, type Group, type GroupOptions, type Joined } from './group.js';
import { retry } from '../transport/retry.js';
import { keepAlive } from './heartbeats.js';

const PROTOCOL_TYPE = 'consumer';
const REBALANCE_TIMEOUT_MS = 30_000;
const REQUEST_LIMIT_MS = 10_000;
const LEAVE_LIMIT_MS = 2_000;
/** Beyond what the other members may take. */
const JOIN_MARGIN_MS = 10_000;
/** A sign of life is also how a member learns of a rebalance: until then those who left are not replaced. */
const MAX_INTERVAL_MS = 500;
const JOIN_AGAIN = new Set([
  'MEMBER_ID_REQUIRED',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
]);
const NO_GENERATION = -1;
const NO_SUBSCRIPTION = Buffer.alloc(0);

type JoinResponse = ReturnType<typeof joinGroupV9.parseResponse>;

/** The protocol in which members agree among themselves: all give up everything, join, and one of them deals out. */
export class ClassicGroup implements Group {
  readonly #coordinator: Coordinator;
  readonly #connections: Connections;
  readonly #leaving = new AbortController();
  #memberId = '';
  #generation = NO_GENERATION;
  /** How many partitions this member dealt out as the group's leader; undefined for everybody else. */
  #dealt: number | undefined;
  #beating: AbortController | undefined;
  #joining = false;
  #isOver: Promise<void> = Promise.resolve();
  #end: (error?: KafkaError) => void = () => undefined;

  constructor(
    readonly cluster: Cluster,
    readonly options: GroupOptions,
    readonly log: Logger,
  ) {
    this.#connections = cluster.newConnections();
    this.#coordinator = new Coordinator(cluster, 'GROUP', options.group, this.#connections);
  }

  async join(): Promise<Joined> {
    this.#beating?.abort();
    this.#joining = true;
    const partitions = await this.#joinAndSync().finally(() => (this.#joining = false));
    if (this.#leaving.signal.aborted) throw new KafkaError('unavailable', 'closed');
    this.#isOver = new Promise((resolve, reject) => {
      this.#end = (error) => (error ? reject(error) : resolve());
    });
    this.#isOver.catch(() => undefined);
    this.#beating = new AbortController();
    this.#keepAlive(this.#beating);
    return { partitions, isNew: true };
  }

  async over(): Promise<readonly number[]> {
    await this.#isOver;
    return [];
  }

  async #joinAndSync(): Promise<number[]> {
    for (;;) {
      try {
        const { signal } = this.#leaving;
        const { joined, partitions } = await retry(() => this.#joinAndSyncOnce(), { signal });
        if (partitions.length === 0 && joined.leader !== this.#memberId)
          await this.#removeForeignLeader(joined.leader);
        return partitions;
      } catch (error) {
        if (!this.#mayJoinAgain(error)) throw error;
      }
    }
  }

  async #joinAndSyncOnce(): Promise<{ joined: JoinResponse; partitions: number[] }> {
    const joined = await this.#join();
    return { joined, partitions: await this.#sync(joined) };
  }

  /**
   * Removes a leader that reads another topic: it deals out the partitions of that topic alone, and ours would have no
   * reader for as long as it lives. The group elects another leader, and the program that was removed joins again under it.
   */
  async #removeForeignLeader(leader: string): Promise<void> {
    const { group, topic } = this.options;
    try {
      const { groups } = await this.#coordinator.request(describeGroupsV5.api, [[group], false]);
      const found = groups[0]?.members.find(({ memberId }) => memberId === leader);
      if (!found || !isForeign(found.memberMetadata, topic)) return;
      const { clientId, clientHost } = found;
      this.log.warn({ group, topic, leader, clientId, clientHost }, FOREIGN_LEADER_REMOVED);
      const member = { memberId: leader, groupInstanceId: found.groupInstanceId };
      await this.#coordinator.request(leaveGroupV4.api, [group, [member]]);
    } catch (err) {
      this.log.debug({ err, group, leader }, 'could not remove the leader of the group');
    }
  }

  /** Whether the group just wants it done again, as it always does with newcomers: they get their name first. */
  #mayJoinAgain(error: unknown): boolean {
    const names = brokerErrorNames(error);
    if (this.#leaving.signal.aborted || !names.some((name) => JOIN_AGAIN.has(name))) return false;
    const given = responseOf<JoinResponse>(error)?.memberId;
    if (names.includes('MEMBER_ID_REQUIRED') && given) this.#memberId = given;
    if (names.includes('UNKNOWN_MEMBER_ID')) this.#memberId = '';
    return true;
  }

  async #join(): Promise<JoinResponse> {
    const { group, topic, sessionTimeoutMs, instanceId } = this.options;
    const rebalanceTimeoutMs = Math.max(REBALANCE_TIMEOUT_MS, sessionTimeoutMs);
    const joined = await this.#coordinator.request(
      joinGroupV9.api,
      [
        group,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        this.#memberId,
        instanceId ?? null,
        PROTOCOL_TYPE,
        [{ name: ASSIGNER, metadata: encodeSubscription(topic) }],
        null,
      ],
      rebalanceTimeoutMs + JOIN_MARGIN_MS,
    );
    this.#memberId = joined.memberId ?? '';
    this.#generation = joined.generationId;
    return joined;
  }

  async #sync(joined: JoinResponse): Promise<number[]> {
    const { group, topic, sessionTimeoutMs, instanceId } = this.options;
    const { assignment } = await this.#coordinator.request(
      syncGroupV5.api,
      [
        group,
        this.#generation,
        this.#memberId,
        instanceId ?? null,
        PROTOCOL_TYPE,
        joined.protocolName,
        joined.leader === this.#memberId ? await this.#deal(joined) : this.#follow(),
      ],
      sessionTimeoutMs + JOIN_MARGIN_MS,
    );
    return decodeAssignment(topic, assignment);
  }

  /** A leader with an instance id that comes back finds all dealt out. */
  async #deal({
    members,
    skipAssignment,
  }: JoinResponse): Promise<{ memberId: string; assignment: Buffer }[]> {
    const { topic } = this.options;
    const { leaders } = await this.cluster.refresh(topic);
    this.#dealt = leaders.length;
    if (skipAssignment) return [];
    const subscribed = members.map(({ memberId, metadata }) => ({
      memberId,
      subscription: metadata ?? NO_SUBSCRIPTION,
    }));
    return Array.from(dealOut(subscribed, topic, leaders.length), ([memberId, partitions]) => ({
      memberId,
      assignment: encodeAssignment(topic, partitions),
    }));
  }

  #follow(): [] {
    this.#dealt = undefined;
    return [];
  }

  #keepAlive({ signal }: AbortController): void {
    const { sessionTimeoutMs } = this.options;
    const intervalMs = Math.min(MAX_INTERVAL_MS, Math.floor(sessionTimeoutMs / 6));
    void keepAlive(
      {
        outage: this.cluster.outage,
        beat: () => this.#beat(),
        intervalMs: () => intervalMs,
        onRefused: (error) => this.#refused(error),
      },
      signal,
    );
  }

  /** Until it joins again its claim lasts, and so do the signs of life. */
  #refused(error: KafkaError): void {
    if (error.kind === 'rebalanced') return this.#end();
    this.#beating?.abort();
    this.#end(error);
  }

  async #beat(): Promise<void> {
    const { group, instanceId, sessionTimeoutMs } = this.options;
    await this.#coordinator.request(
      heartbeatV4.api,
      [group, this.#generation, this.#memberId, instanceId ?? null],
      Math.min(REQUEST_LIMIT_MS, sessionTimeoutMs),
    );
  }

  topicHas(partitions: number): void {
    if (this.#dealt !== undefined && this.#dealt !== partitions) this.#end();
  }

  /** While it joins there is nothing to commit to, and the request would wait behind the join. */
  async commit(positions: readonly Position[]): Promise<void> {
    if (this.#joining) throw new KafkaError('rebalanced', `group ${this.options.group} is being joined`);
    await this.#coordinator.commit(this.membership(), positions);
  }

  membership(): GroupMembership {
    const { group, instanceId } = this.options;
    return { group, memberId: this.#memberId, generation: this.#generation, instanceId };
  }

  /** The answer to a join may be a long time coming: leaving goes over other connections. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    this.#beating?.abort();
    this.#end();
    const { group, instanceId } = this.options;
    const coordinator = new Coordinator(this.cluster, 'GROUP', group);
    const member = { memberId: this.#memberId, groupInstanceId: null };
    try {
      if (this.#memberId !== '' && instanceId === undefined)
        await coordinator.request(leaveGroupV4.api, [group, [member]], LEAVE_LIMIT_MS);
    } finally {
      this.#connections.close();
    }
  }
}
