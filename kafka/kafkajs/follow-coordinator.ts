import ConsumerGroup from 'kafkajs/src/consumer/consumerGroup.js';
import { toKafkaError } from './errors.js';

/**
 * kafkajs looks up a group's coordinator only when it joins. When the coordinator moves, kafkajs rejoins or, while
 * the previous one restarts, sends heartbeats to it until its retries are exhausted; commits go to the previous one
 * for as long as the membership lasts. This patch looks the coordinator up again for both, so that the membership
 * survives. kafkajs is pinned to the version whose methods this wraps.
 */
type Method<A> = (this: ConsumerGroup, argument: A) => Promise<void>;
const heartbeat = methodOf<{ readonly interval: number }>('heartbeat');
const commitOffsets = methodOf<object | undefined>('commitOffsets');
ConsumerGroup.prototype.heartbeat = function (this: ConsumerGroup, options): Promise<void> {
  return withCoordinatorRefresh(this, () => heartbeat.call(this, options));
};
ConsumerGroup.prototype.commitOffsets = function (this: ConsumerGroup, offsets): Promise<void> {
  return withCoordinatorRefresh(this, () => commitOffsets.call(this, offsets));
};

/** Lookups in flight: at most one per group, shared by all callers. */
const lookups = new WeakMap<ConsumerGroup, Promise<void>>();

async function withCoordinatorRefresh(group: ConsumerGroup, call: () => Promise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (toKafkaError(error).kind !== 'unavailable') throw error;
    await follow(group);
    await call();
  }
}

function follow(group: ConsumerGroup): Promise<void> {
  let lookup = lookups.get(group);
  if (!lookup) lookups.set(group, (lookup = lookUp(group).finally(() => lookups.delete(group))));
  return lookup;
}

/** Updates the coordinator of the group and of its offset manager, which keeps a reference of its own. */
async function lookUp(group: ConsumerGroup): Promise<void> {
  const { groupId } = group;
  const coordinator = await group.cluster.findGroupCoordinator({ groupId });
  group.coordinator = coordinator;
  if (group.offsetManager) group.offsetManager.coordinator = coordinator;
}

function methodOf<A>(name: 'heartbeat' | 'commitOffsets'): Method<A> {
  return Object.getOwnPropertyDescriptor(ConsumerGroup.prototype, name)?.value as Method<A>;
}
