import type { KafkaAdmin, PartitionOffsets } from './port.js';

/**
 * How many records of a topic a group has not finished yet. A partition without a committed position counts from its
 * oldest record; one whose position is beyond the end, as of a topic that was made anew, makes up for no other.
 * @param offsets of the topic's partitions
 */
export async function recordsBehind(
  admin: Pick<KafkaAdmin, 'committed'>,
  group: string,
  topic: string,
  offsets: readonly PartitionOffsets[],
): Promise<number> {
  const committed = await admin.committed(group, topic);
  const position = (partition: number): number =>
    committed.find((found) => found.partition === partition)?.offset ?? 0;
  return offsets.reduce(
    (sum, { partition, start, end }) => sum + Math.max(0, end - Math.max(start, position(partition))),
    0,
  );
}
