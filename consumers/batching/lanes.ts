import type { Slice } from './batch.js';
import { isBulk, RankedQueue, rankOf } from './ranked-queue.js';

type LaneKey = string | typeof ALONE;

/** Key of the lane for jobs that share no batch. */
const ALONE = Symbol('alone');

/** Slices that may share a batch, in order of their ranks. */
export interface Lane {
  readonly key: LaneKey;
  readonly slices: RankedQueue;
  rows: number;
  /** Rank of the first job. */
  readonly headRank: number;
  /** Arrival of the first job, monotonic milliseconds. */
  readonly headArrivedAt: number;
  /** True if the first job is bulk work. */
  readonly isBulk: boolean;
}

/** One queue for each key of jobs that may share a batch; empty lanes are removed. */
export class Lanes {
  readonly #lanes = new Map<LaneKey, QueuedLane>();
  #rows = 0;
  /** Rows and slices before which a new request is not computed: all but bulk work. */
  readonly #ahead = { rows: 0, slices: 0 };

  get ahead(): { readonly rows: number; readonly slices: number } {
    return this.#ahead;
  }

  /** Rows in all lanes. */
  get rows(): number {
    return this.#rows;
  }

  add(slice: Slice): void {
    const { laneKey, mustBeAlone } = slice.progress.job;
    const key = mustBeAlone ? ALONE : laneKey;
    let lane = this.#lanes.get(key);
    if (!lane) this.#lanes.set(key, (lane = new QueuedLane(key)));
    lane.slices.push(slice);
    lane.rows += weightOf(slice);
    this.#rows += weightOf(slice);
    if (!isBulk(slice)) this.#countAhead(weightOf(slice), 1);
  }

  #countAhead(rows: number, slices: number): void {
    this.#ahead.rows += rows;
    this.#ahead.slices += slices;
  }

  /** Removes and returns all slices. */
  takeAll(): Slice[] {
    const taken: Slice[] = [];
    for (let lane = this.oldest(); lane; lane = this.oldest()) taken.push(...this.take(lane, Infinity));
    return taken;
  }

  /** Takes the slice at the lane's head. */
  takeOne(lane: Lane): Slice[] {
    return this.take(lane, 0);
  }

  /** Returns the lane whose first job has the lowest rank, among those with at least `minRows`: common shapes cannot starve rare ones. */
  oldest(minRows = 0): Lane | undefined {
    let oldest: Lane | undefined;
    for (const lane of this.#lanes.values()) {
      // A full lane of bulk work does not overtake a request that waits for its batch to fill.
      if (lane.rows < minRows || (minRows > 0 && lane.isBulk)) continue;
      if (!oldest || lane.headRank < oldest.headRank) oldest = lane;
    }
    return oldest;
  }

  /** Takes slices from the lane's head: as many as fit in `maxRows`, at least one. Bulk work shares no batch with other work. */
  take(lane: Lane, maxRows: number): Slice[] {
    const taken: Slice[] = [];
    let rows = 0;
    const { isBulk: takesBulk } = lane;
    for (let next = lane.slices.peek(); next; next = lane.slices.peek()) {
      const isFull = lane.key === ALONE || rows + weightOf(next) > maxRows || isBulk(next) !== takesBulk;
      if (taken.length > 0 && isFull) break;
      rows += weightOf(next);
      taken.push(next);
      lane.slices.shift();
    }
    lane.rows -= rows;
    this.#rows -= rows;
    if (!takesBulk) this.#countAhead(-rows, -taken.length);
    if (lane.slices.length === 0) this.#lanes.delete(lane.key);
    return taken;
  }
}

/** Counts a slice without rows as one row. */
function weightOf({ rows }: Slice): number {
  return Math.max(1, rows);
}

class QueuedLane implements Lane {
  readonly slices = new RankedQueue();
  rows = 0;

  constructor(readonly key: LaneKey) {}

  get headRank(): number {
    const head = this.slices.peek();
    return head ? rankOf(head) : Infinity;
  }

  get headArrivedAt(): number {
    return this.slices.peek()?.progress.job.arrivedAt ?? Infinity;
  }

  get isBulk(): boolean {
    const head = this.slices.peek();
    return head !== undefined && isBulk(head);
  }
}
