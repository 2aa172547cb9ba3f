import type { KafkaAdmin, PartitionOffset, PartitionOffsets } from '../port.js';

/** A partition and a group's position in it. */
export interface GroupPosition extends PartitionOffsets {
  /** Offset of the next record to read; -1 if none is committed. */
  readonly committed: number;
}

/**
 * Reads a group's positions, committed offsets before end offsets: they advance meanwhile and must not appear to be beyond
 * the end. A share group commits none; its lag stands for them.
 */
export async function readPositions(
  admin: Pick<KafkaAdmin, 'committed' | 'offsets' | 'shareGroupLag'>,
  group: string,
  topic: string,
): Promise<GroupPosition[]> {
  const committed = await admin.committed(group, topic);
  const isUncommitted = committed.every(({ offset }) => offset < 0);
  // Not a share group, or no such group.
  const lags = isUncommitted ? await admin.shareGroupLag(group, topic).catch(() => []) : [];
  const offsets = await admin.offsets(topic);
  if (lags.length === 0) return groupPositions(offsets, committed);
  const lagBy = new Map(lags.map(({ partition, lag }) => [partition, lag]));
  const reached = offsets.map(({ partition, end }) => ({
    partition,
    offset: end - (lagBy.get(partition) ?? end + 1),
  }));
  return groupPositions(offsets, reached);
}

/** Joins a group's committed offsets with the offsets of a topic's partitions. */
export function groupPositions(
  offsets: readonly PartitionOffsets[],
  committed: readonly PartitionOffset[],
): GroupPosition[] {
  return offsets.map((held) => ({
    ...held,
    committed: committed.find(({ partition }) => partition === held.partition)?.offset ?? -1,
  }));
}

/**
 * Returns a group's lag in records. A partition without a committed offset counts from its oldest record; one whose
 * committed offset is past the end, for example after the topic was recreated, counts as 0.
 */
export function lagOf(positions: readonly GroupPosition[]): number {
  return positions.reduce(
    (sum, { start, end, committed }) => sum + Math.max(0, end - Math.max(start, committed)),
    0,
  );
}
