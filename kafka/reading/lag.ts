import type { PartitionOffset, PartitionOffsets } from '../port.js';

/** A partition and how far a group is in it. */
export interface GroupPosition extends PartitionOffsets {
  /** The next record to read; -1 where none is committed. */
  readonly committed: number;
}

/** Puts a group's committed positions beside what the partitions of a topic hold. */
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
 * How many records a group has not finished yet. A partition without a committed position counts from its oldest record; one
 * whose position is beyond the end, as of a topic that was made anew, makes up for no other.
 */
export function lagOf(positions: readonly GroupPosition[]): number {
  return positions.reduce(
    (sum, { start, end, committed }) => sum + Math.max(0, end - Math.max(start, committed)),
    0,
  );
}
