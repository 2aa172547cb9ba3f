import { randomBytes } from 'node:crypto';
import { SerialQueue } from '../../../core/serial.js';
import type { KafkaError } from '../../port.js';
import { Coordinator } from '../group/group.js';
import { keepAlive } from '../group/heartbeats.js';
import {
  shareGroupHeartbeat,
  type ShareMembershipAnswer,
  type ShareTopicAssignment,
} from '../protocol/share-group.js';
import type { Cluster } from '../transport/cluster.js';
import type { Connections } from '../transport/connections.js';
import { toKafkaError } from '../transport/errors.js';
import { retry } from '../transport/retry.js';

const LEAVE_LIMIT_MS = 2_000;
/** Interval until the broker has announced its own. */
const FIRST_INTERVAL_MS = 1_000;
/** Heartbeats of a member without partitions: the broker assigns them after the first one. */
const UNASSIGNED_INTERVAL_MS = 200;
const JOINING = 0;
const LEAVING = -1;
const MEMBER_ID_BYTES = 16;

export interface MembershipOptions {
  readonly group: string;
  readonly topic: string;
  /** Called with all partitions of a new assignment; none when the group has removed the member. */
  onAssigned(assignment: readonly ShareTopicAssignment[]): void;
  /** Called if the group refuses the member for good. */
  onRefused(error: KafkaError): void;
}

/** Membership in a share group. A member that the group has forgotten joins again, with the same id. */
export class ShareMembership {
  /** A UUID in the encoding that brokers expect. */
  readonly memberId = randomBytes(MEMBER_ID_BYTES).toString('base64url');
  readonly #coordinator: Coordinator;
  readonly #connections: Connections;
  readonly #leaving = new AbortController();
  readonly #turns = new SerialQueue();
  #epoch = JOINING;
  #intervalMs = FIRST_INTERVAL_MS;
  #isAssigned = false;
  #beating: Promise<void> | undefined;

  constructor(
    readonly cluster: Cluster,
    readonly options: MembershipOptions,
  ) {
    this.#connections = cluster.newConnections();
    this.#coordinator = new Coordinator(cluster, 'GROUP', options.group, this.#connections);
  }

  /** @throws KafkaError if the group refuses the member */
  async join(): Promise<void> {
    await retry(() => this.#beat(), { signal: this.#leaving.signal });
    this.#beating ??= keepAlive(
      {
        outage: this.cluster.outage,
        beat: () => this.#beat(),
        intervalMs: () => (this.#isAssigned ? this.#intervalMs : UNASSIGNED_INTERVAL_MS),
        onRefused: (error) => this.options.onRefused(error),
      },
      this.#leaving.signal,
    );
  }

  /** Sends one heartbeat at a time: a response overtaken by a later one would restore an old epoch. */
  #beat(): Promise<void> {
    return this.#turns.run(async () => {
      try {
        this.#apply(await this.#send(this.#epoch));
      } catch (error) {
        if (toKafkaError(error).kind !== 'rebalanced') throw error;
        this.#removed();
        this.#apply(await this.#send(JOINING));
      }
    });
  }

  #send(epoch: number, limitMs?: number): Promise<ShareMembershipAnswer> {
    const { group, topic } = this.options;
    const topics = epoch === JOINING ? [topic] : null;
    const beat = shareGroupHeartbeat({ group, memberId: this.memberId, epoch, topics });
    return this.#coordinator.send(beat, limitMs);
  }

  #apply({ epoch, intervalMs, assignment }: ShareMembershipAnswer): void {
    this.#epoch = epoch;
    if (intervalMs > 0) this.#intervalMs = intervalMs;
    if (!assignment || this.#leaving.signal.aborted) return;
    this.#isAssigned = assignment.some(({ partitions }) => partitions.length > 0);
    this.options.onAssigned(assignment);
  }

  #removed(): void {
    this.#epoch = JOINING;
    this.#isAssigned = false;
    this.options.onAssigned([]);
  }

  async leave(): Promise<void> {
    this.#leaving.abort();
    try {
      await this.#beating;
      if (this.#epoch !== JOINING) await this.#send(LEAVING, LEAVE_LIMIT_MS);
    } finally {
      this.#connections.close();
    }
  }
}
