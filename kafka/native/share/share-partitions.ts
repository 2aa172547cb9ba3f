import { SharePartition } from './share-partition.js';

/** The partitions of a share group's member: those assigned to it, and former ones with records that it still holds. */
export class SharePartitions implements Iterable<SharePartition> {
  readonly #partitions = new Map<number, SharePartition>();

  [Symbol.iterator](): IterableIterator<SharePartition> {
    return this.#partitions.values();
  }

  get(partition: number): SharePartition | undefined {
    return this.#partitions.get(partition);
  }

  get assigned(): number[] {
    return [...this].filter(({ isAssigned }) => isAssigned).map(({ partition }) => partition);
  }

  /** True if no fetch loop covers an assigned partition. */
  get isLeaderless(): boolean {
    return [...this].some(({ isAssigned, leader }) => isAssigned && leader === undefined);
  }

  assign(numbers: readonly number[]): void {
    for (const one of this) one.isAssigned = numbers.includes(one.partition);
    for (const number of numbers)
      if (!this.#partitions.has(number)) this.#partitions.set(number, new SharePartition(number));
    this.#forgetFinished();
  }

  ledBy(leader: number): SharePartition[] {
    this.#forgetFinished();
    return [...this].filter((one) => one.leader === leader);
  }

  #forgetFinished(): void {
    for (const { partition, isAssigned, isFinished } of this)
      if (!isAssigned && isFinished) this.#partitions.delete(partition);
  }

  /** Forgets everything: the topic was recreated. @returns the number of records lost */
  clear(): number {
    const lost = [...this].reduce((sum, one) => sum + one.lose(), 0);
    this.#partitions.clear();
    return lost;
  }
}
