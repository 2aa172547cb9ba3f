/**
 * A member of a classic group, as its leader sees it.
 * https://kafka.apache.org/protocol, "consumer" protocol type
 */
export interface GroupMember {
  readonly memberId: string;
  /** Serialized subscription, as sent by the member. */
  readonly subscription: Buffer;
}

/** Log message of a member that removes a leader subscribed to another topic only. */
export const FOREIGN_LEADER_REMOVED =
  'the leader of the consumer group reads another topic and leaves this one without a consumer; removing it from the group';

/**
 * Distributes a topic's partitions evenly among the members that subscribe to it, in the order of their ids. Members
 * that joined by mistake and read other topics get none: nobody would read those partitions.
 */
export function assignPartitions(
  members: readonly GroupMember[],
  topic: string,
  partitions: number,
): Map<string, number[]> {
  const subscribers = members.filter(({ subscription }) => subscribedTopics(subscription).includes(topic));
  const ids = subscribers.map(({ memberId }) => memberId).sort();
  const assignments = new Map(ids.map((id): [string, number[]] => [id, []]));
  for (let partition = 0; partition < partitions; partition++)
    assignments.get(ids[partition % ids.length] ?? '')?.push(partition);
  return assignments;
}

/** Returns true if a member is known to read other topics only; subscriptions are not reported during a rebalance. */
export function isForeign(subscription: Buffer, topic: string): boolean {
  const topics = subscribedTopics(subscription);
  return topics.length > 0 && !topics.includes(topic);
}

/** Returns the topics of a subscription of any version; if it is truncated, those before the end. */
export function subscribedTopics(subscription: Buffer): string[] {
  const topics: string[] = [];
  const has = (position: number, length: number): boolean => position + length <= subscription.length;
  let left = has(2, 4) ? subscription.readInt32BE(2) : 0;
  for (let position = 6; left > 0 && has(position, 2); left--) {
    const start = position + 2;
    const length = subscription.readInt16BE(position);
    if (length < 0 || !has(start, length)) break;
    position = start + length;
    topics.push(subscription.toString('utf8', start, position));
  }
  return topics;
}
