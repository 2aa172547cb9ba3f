/** Returns the candidate partitions of a record without key and partition: those with a leader, or else all. */
export function ledPartitions(leaders: readonly (number | undefined)[]): number[] {
  const all = [...leaders.keys()];
  const led = all.filter((partition) => leaders[partition] !== undefined);
  return led.length > 0 ? led : all;
}

/** Consecutive records of one send that go to the same partition. */
const RUN = 16;

/**
 * Assigns partitions to records without a key: short runs to the same partition, which makes fewer and larger
 * batches, while a large send is spread evenly.
 */
export class StickyPartitioner {
  #next = Math.floor(Math.random() * 1_000_003);
  #left = 0;

  partition(partitions: number): number {
    if (this.#left-- <= 0) this.nextBatch();
    return this.#next % partitions;
  }

  /** Begins a new run; called for each send. */
  nextBatch(): void {
    this.#next = (this.#next + 1) % 0x7fffffff;
    this.#left = RUN - 1;
  }
}
