import {
  describeGroupsV5,
  heartbeatV4,
  joinGroupV9,
  leaveGroupV4,
  syncGroupV5,
} from '../../platformatic/index.js';
import type { Logger } from '../../../core/log.js';
import { KafkaError, type GroupMembership, type Position } from '../../port.js';
import { assignPartitions, FOREIGN_LEADER_REMOVED, isForeign } from '../../subscriptions.js';
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
/** Timeout on top of the time that the other members may take. */
const JOIN_MARGIN_MS = 10_000;
/** Members also learn of a rebalance from heartbeats; until then, members that left are not replaced. */
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

/** The classic protocol: at a rebalance all members give up their partitions and rejoin, and the leader assigns. */
export class ClassicGroup implements Group {
  readonly #coordinator: Coordinator;
  readonly #connections: Connections;
  readonly #leaving = new AbortController();
  #memberId = '';
  #generation = NO_GENERATION;
  /** Number of partitions assigned by this member as the group's leader; undefined for followers. */
  #assignedCount: number | undefined;
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
   * Removes a leader that reads another topic: it assigns only the partitions of that topic, and this topic would
   * have no consumer while it is alive. The group elects another leader, and the removed program rejoins under it.
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
      this.log.debug({ err, group, leader }, 'could not remove the group leader');
    }
  }

  /** Returns true if the join should be repeated, as it must be for new members, which first receive their id. */
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
        joined.leader === this.#memberId ? await this.#assign(joined) : this.#follow(),
      ],
      sessionTimeoutMs + JOIN_MARGIN_MS,
    );
    return decodeAssignment(topic, assignment);
  }

  /** Assigns the partitions. A returning leader with an instance id finds them already assigned. */
  async #assign({
    members,
    skipAssignment,
  }: JoinResponse): Promise<{ memberId: string; assignment: Buffer }[]> {
    const { topic } = this.options;
    const { leaders } = await this.cluster.refresh(topic);
    this.#assignedCount = leaders.length;
    if (skipAssignment) return [];
    const subscribed = members.map(({ memberId, metadata }) => ({
      memberId,
      subscription: metadata ?? NO_SUBSCRIPTION,
    }));
    return Array.from(assignPartitions(subscribed, topic, leaders.length), ([memberId, partitions]) => ({
      memberId,
      assignment: encodeAssignment(topic, partitions),
    }));
  }

  #follow(): [] {
    this.#assignedCount = undefined;
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

  /** Ends the current assignment. On a rebalance, ownership and heartbeats last until the member rejoins. */
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

  notePartitionCount(partitions: number): void {
    if (this.#assignedCount !== undefined && this.#assignedCount !== partitions) this.#end();
  }

  /**
   * Commits, except during a join: the generation is not valid then, and the request would be queued behind the join.
   */
  async commit(positions: readonly Position[]): Promise<void> {
    if (this.#joining) throw new KafkaError('rebalanced', `group ${this.options.group} is rebalancing`);
    await this.#coordinator.commit(this.membership(), positions);
  }

  membership(): GroupMembership {
    const { group, instanceId } = this.options;
    return { group, memberId: this.#memberId, generation: this.#generation, instanceId };
  }

  /** Leaves over separate connections: the response to a pending join may take long. */
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
