import kafkajs, {
  type Assigner,
  type Cluster,
  type GroupMemberAssignment,
  type PartitionAssigner,
} from 'kafkajs';
import ConsumerGroup from 'kafkajs/src/consumer/consumerGroup.js';
import type { Logger } from '../../core/log.js';
import { dealOut, FOREIGN_LEADER_REMOVED, isForeign } from '../subscriptions.js';

const { AssignerProtocol, PartitionAssigners } = kafkajs;

/** An assigner through which a consumer also hears that its group is about to be joined anew. */
type HookedAssigner = Assigner & {
  /** The topic whose partitions the group shares; undefined where nothing is shared. */
  topic?: string;
  log?: Logger;
  beforeJoin?: () => Promise<void>;
  /** By what the group knew this member before; empty for a newcomer. */
  formerMember?: () => string;
};

/**
 * kafkajs tells of a rebalance only after the fact, when the broker has already waited for this member. To
 * finish work while its partitions are still ours, joining has to wait; the assigner is the one object of
 * ours that the group holds. kafkajs is pinned to the version whose method this wraps.
 */
const join = Object.getOwnPropertyDescriptor(ConsumerGroup.prototype, 'joinAndSync')?.value as (
  this: ConsumerGroup,
) => Promise<void>;
ConsumerGroup.prototype.joinAndSync = async function (this: ConsumerGroup): Promise<void> {
  for (const assigner of this.assigners as readonly HookedAssigner[]) {
    await assigner.beforeJoin?.();
    // As a newcomer it would wait until the group misses the member that it was.
    this.memberId ??= assigner.formerMember?.() || null;
  }
  await join.call(this);
  for (const { topic, log } of this.assigners as readonly HookedAssigner[])
    if (topic && log) await removeForeignLeader(this, topic, log);
};

/**
 * Removes a leader that reads another topic: it deals out the partitions of that topic alone, and ours would have no
 * reader for as long as it lives. The group elects another leader, and the program that was removed joins again under it.
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
    log.debug({ err, group: groupId, leader: leaderId }, 'could not remove the leader of the group');
  }
}

/** Spreads the topic's partitions evenly over the members that subscribe to it; kafkajs's own one goes by no subscriptions. */
export function sharedAssigner(
  topic: string,
  log: Logger,
  beforeJoin: () => Promise<void>,
  formerMember: () => string,
): PartitionAssigner {
  return (config: { cluster: Cluster; groupId: string; logger: kafkajs.Logger }): HookedAssigner => ({
    ...PartitionAssigners.roundRobin(config),
    topic,
    log,
    beforeJoin,
    formerMember,

    assign: ({ members }) => {
      const subscribed = members.map(({ memberId, memberMetadata: subscription }) => ({
        memberId,
        subscription,
      }));
      const partitions = config.cluster.findTopicPartitionMetadata(topic).length;
      const dealt = dealOut(subscribed, topic, partitions);
      return Promise.resolve(Array.from(dealt, ([memberId, own]) => assigned(memberId, topic, own)));
    },
  });
}

/** Gives the group's one member exactly `partitions`: manual assignment, which kafkajs lacks. */
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
