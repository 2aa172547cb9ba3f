/** Partitions that a record which may go anywhere should go to: those with a leader, unless none has one. */
export function ledPartitions(leaders: readonly (number | undefined)[]): number[] {
  const all = [...leaders.keys()];
  const led = all.filter((partition) => leaders[partition] !== undefined);
  return led.length > 0 ? led : all;
}

/** Records of one send that go to the same partition before the next one is taken. */
const RUN = 16;

/**
 * Where records without a key go: a few in a row to the same partition, which makes fewer and larger batches, and a
 * large send evenly to all.
 */
export class StickyPartitioner {
  #next = Math.floor(Math.random() * 1_000_003);
  #left = 0;

  partition(partitions: number): number {
    if (this.#left-- <= 0) this.nextBatch();
    return this.#next % partitions;
  }

  /** Begins a new run: each send does. */
  nextBatch(): void {
    this.#next = (this.#next + 1) % 0x7fffffff;
    this.#left = RUN - 1;
  }
}
