/**
 * What members of a classic group tell its leader, and which partitions they get for it.
 * https://kafka.apache.org/protocol, "consumer" protocol type
 */
export interface GroupMember {
  readonly memberId: string;
  /** The member's subscription, as it sent it. */
  readonly subscription: Buffer;
}

/** Log message of a member that removes a leader which reads another topic. */
export const FOREIGN_LEADER_REMOVED =
  'the leader of the consumer group reads another topic and leaves this one without a reader; removing it from the group';

/**
 * Deals the partitions of a topic out to the members that subscribe to it, in the order of their ids: as evenly as can be.
 * Another program may have joined the group by mistake; partitions that it gets nobody reads.
 */
export function dealOut(
  members: readonly GroupMember[],
  topic: string,
  partitions: number,
): Map<string, number[]> {
  const subscribers = members.filter(({ subscription }) => subscribedTopics(subscription).includes(topic));
  const ids = subscribers.map(({ memberId }) => memberId).sort();
  const dealt = new Map(ids.map((id): [string, number[]] => [id, []]));
  for (let partition = 0; partition < partitions; partition++)
    dealt.get(ids[partition % ids.length] ?? '')?.push(partition);
  return dealt;
}

/** Whether a member is known to read other topics alone; while a group rebalances brokers tell no subscriptions. */
export function isForeign(subscription: Buffer, topic: string): boolean {
  const topics = subscribedTopics(subscription);
  return topics.length > 0 && !topics.includes(topic);
}

/** The topics of a subscription, of whatever version; those before its end where it breaks off. */
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
