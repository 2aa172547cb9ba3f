import kafkajs, { type Assigner, type Cluster, type PartitionAssigner } from 'kafkajs';
import ConsumerGroup from 'kafkajs/src/consumer/consumerGroup.js';

const { AssignerProtocol, PartitionAssigners } = kafkajs;

/** An assigner through which a consumer also hears that its group is about to be joined anew. */
type HookedAssigner = Assigner & {
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
  return join.call(this);
};

/** Spreads partitions evenly over the members of the group. */
export function sharedAssigner(
  beforeJoin: () => Promise<void>,
  formerMember: () => string,
): PartitionAssigner {
  return (config: { cluster: Cluster; groupId: string; logger: kafkajs.Logger }): HookedAssigner => ({
    ...PartitionAssigners.roundRobin(config),
    beforeJoin,
    formerMember,
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

    assign: ({ members }) => {
      const assignment = { [topic]: [...partitions] };
      const memberAssignment = AssignerProtocol.MemberAssignment.encode({
        version: 0,
        assignment,
        userData: Buffer.alloc(0),
      });
      return Promise.resolve(members.map(({ memberId }) => ({ memberId, memberAssignment })));
    },
  });
}
