import type { PartitionOffset, PartitionOffsets } from '../port.js';

/** A partition and a group's position in it. */
export interface GroupPosition extends PartitionOffsets {
  /** Offset of the next record to read; -1 if none is committed. */
  readonly committed: number;
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
