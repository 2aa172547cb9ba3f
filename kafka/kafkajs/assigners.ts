import kafkajs, {
  type Assigner,
  type Cluster,
  type GroupMemberAssignment,
  type PartitionAssigner,
} from 'kafkajs';
import ConsumerGroup from 'kafkajs/src/consumer/consumerGroup.js';
import type { Logger } from '../../core/log.js';
import { assignPartitions, FOREIGN_LEADER_REMOVED, isForeign } from '../subscriptions.js';

const { AssignerProtocol, PartitionAssigners } = kafkajs;

/** An assigner that also notifies the consumer before its group is joined again. */
type HookedAssigner = Assigner & {
  /** Topic whose partitions are shared; undefined if none are. */
  topic?: string;
  log?: Logger;
  beforeJoin?: () => Promise<void>;
  /** Previous member id; empty for a new member. */
  previousMemberId?: () => string;
};

/**
 * kafkajs reports a rebalance only afterwards, when the broker has already waited for this member. Finishing records
 * while their partitions are still owned requires delaying the join, and the assigner is the only hook in the group.
 * kafkajs is pinned to the version whose method this wraps.
 */
const join = Object.getOwnPropertyDescriptor(ConsumerGroup.prototype, 'joinAndSync')?.value as (
  this: ConsumerGroup,
) => Promise<void>;
ConsumerGroup.prototype.joinAndSync = async function (this: ConsumerGroup): Promise<void> {
  for (const assigner of this.assigners as readonly HookedAssigner[]) {
    await assigner.beforeJoin?.();
    // As a new member, it would have to wait until the session of its previous id expires.
    this.memberId ??= assigner.previousMemberId?.() || null;
  }
  await join.call(this);
  for (const { topic, log } of this.assigners as readonly HookedAssigner[])
    if (topic && log) await removeForeignLeader(this, topic, log);
};

/**
 * Removes a leader that reads another topic: it assigns only the partitions of that topic, and this topic would have
 * no consumer while it is alive. The group elects another leader, and the removed program rejoins under it.
 */
async function removeForeignLeader(group: ConsumerGroup, topic: string, log: Logger): Promise<void> {
  const { groupId, memberId, leaderId, coordinator } = group;
  const hasPartitions = group.assigned().some(({ partitions }) => partitions.length > 0);
  if (hasPartitions || !leaderId || leaderId === memberId) return;
  try {
    const { groups } = await coordinator.describeGroups({ groupIds: [groupId] });
    const leader = groups[0]?.members.find((member) => member.memberId === leaderId);
    if (!leader || !isForeign(leader.memberMetadata, topic)) return;
    const { clientId, clientHost } = leader;
    log.warn({ group: groupId, topic, leader: leaderId, clientId, clientHost }, FOREIGN_LEADER_REMOVED);
    await coordinator.leaveGroup({ groupId, memberId: leaderId });
  } catch (err) {
    log.debug({ err, group: groupId, leader: leaderId }, 'could not remove the group leader');
  }
}

/** Creates an assigner that distributes partitions evenly among subscribers; kafkajs's own ignores subscriptions. */
export function sharedAssigner(
  topic: string,
  log: Logger,
  beforeJoin: () => Promise<void>,
  previousMemberId: () => string,
): PartitionAssigner {
  return (config: { cluster: Cluster; groupId: string; logger: kafkajs.Logger }): HookedAssigner => ({
    ...PartitionAssigners.roundRobin(config),
    topic,
    log,
    beforeJoin,
    previousMemberId,

    assign: ({ members }) => {
      const subscribed = members.map(({ memberId, memberMetadata: subscription }) => ({
        memberId,
        subscription,
      }));
      const partitions = config.cluster.findTopicPartitionMetadata(topic).length;
      const assignments = assignPartitions(subscribed, topic, partitions);
      return Promise.resolve(Array.from(assignments, ([memberId, own]) => assigned(memberId, topic, own)));
    },
  });
}

/** Creates an assigner that gives the only member exactly `partitions`: manual assignment, which kafkajs lacks. */
export function fixedAssigner(topic: string, partitions: readonly number[]): PartitionAssigner {
  return (): HookedAssigner => ({
    name: 'PartituraFixedAssigner',
    version: 0,

    protocol: ({ topics }) => ({
      name: 'PartituraFixedAssigner',
      metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
    }),

    assign: ({ members }) =>
      Promise.resolve(members.map(({ memberId }) => assigned(memberId, topic, partitions))),
  });
}

function assigned(memberId: string, topic: string, partitions: readonly number[]): GroupMemberAssignment {
  const memberAssignment = AssignerProtocol.MemberAssignment.encode({
    version: 0,
    assignment: { [topic]: [...partitions] },
    userData: Buffer.alloc(0),
  });
  return { memberId, memberAssignment };
}
