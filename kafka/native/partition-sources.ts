/** A partition being read: owned by the fetcher until it is dropped. */
export interface Source {
  readonly partition: number;
  /** Offset of the next record to deliver. */
  position: number;
  paused: boolean;
  leader: number | undefined;
  damagedTries: number;
  /** Consecutive failures. */
  failures: number;
  /** End of the backoff, in milliseconds of `performance.now()`. */
  backoffUntil: number;
}

/** A partition and its position at the time of the request. */
export interface Asked {
  readonly source: Source;
  readonly position: number;
}

/** The partitions that a fetcher reads, by number. */
export class PartitionSources implements Iterable<Source> {
  readonly #sources = new Map<number, Source>();

  [Symbol.iterator](): Iterator<Source> {
    return this.#sources.values();
  }

  add(positions: ReadonlyMap<number, number>): void {
    for (const [partition, position] of positions)
      this.#sources.set(partition, {
        partition,
        position,
        paused: false,
        leader: undefined,
        damagedTries: 0,
        failures: 0,
        backoffUntil: 0,
      });
  }

  drop(partition: number): void {
    this.#sources.delete(partition);
  }

  clear(): void {
    this.#sources.clear();
  }

  pause(partitions: readonly number[], paused: boolean): void {
    for (const partition of partitions) {
      const source = this.#sources.get(partition);
      if (source) source.paused = paused;
    }
  }

  /** Moves all positions to the beginning. */
  rewind(): void {
    for (const source of this) source.position = 0;
  }

  ledBy(leader: number): Source[] {
    return [...this].filter((source) => source.leader === leader);
  }

  get isLeaderless(): boolean {
    return [...this].some(({ leader }) => leader === undefined);
  }

  /**
   * Returns the source unless it was paused, dropped or moved since the request; such a partition is fetched again.
   */
  unchanged(partition: number, asked: readonly Asked[]): Source | undefined {
    const before = asked.find(({ source }) => source.partition === partition);
    return before && this.isAt(before.source, before.position) ? before.source : undefined;
  }

  /** Returns true unless the source was paused, dropped or moved from this position. */
  isAt(source: Source, position: number): boolean {
    return this.#sources.get(source.partition) === source && !source.paused && source.position === position;
  }
}

/** Returns the sources that may be fetched now, with their positions. */
export function fetchable(sources: readonly Source[], now: number): Asked[] {
  return sources
    .filter(({ paused, backoffUntil }) => !paused && backoffUntil <= now)
    .map((source) => ({ source, position: source.position }));
}
