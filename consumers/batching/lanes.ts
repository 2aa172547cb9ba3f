import { Fifo } from '../../core/fifo.js';
import type { Slice } from './batch.js';

type LaneKey = string | typeof ALONE;

/** Key of the lane for jobs that share no batch. */
const ALONE = Symbol('alone');

/** Slices that may share a batch, in order of arrival. */
export interface Lane {
  readonly key: LaneKey;
  readonly slices: Fifo<Slice>;
  rows: number;
  /** Arrival of the oldest job, monotonic milliseconds. */
  readonly headArrivedAt: number;
}

/** One queue for each key of jobs that may share a batch; empty lanes are removed. */
export class Lanes {
  readonly #lanes = new Map<LaneKey, QueuedLane>();
  #rows = 0;
  #slices = 0;

  get slices(): number {
    return this.#slices;
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
    this.#slices++;
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

  /** Returns the lane with the oldest job among those with at least `minRows`, so that common shapes cannot starve rare ones. */
  oldest(minRows = 0): Lane | undefined {
    let oldest: Lane | undefined;
    for (const lane of this.#lanes.values()) {
      if (lane.rows < minRows) continue;
      if (!oldest || lane.headArrivedAt < oldest.headArrivedAt) oldest = lane;
    }
    return oldest;
  }

  /** Takes slices from the lane's head: as many as fit in `maxRows`, at least one. */
  take(lane: Lane, maxRows: number): Slice[] {
    const taken: Slice[] = [];
    let rows = 0;
    for (let next = lane.slices.at(0); next; next = lane.slices.at(0)) {
      if (taken.length > 0 && (lane.key === ALONE || rows + weightOf(next) > maxRows)) break;
      rows += weightOf(next);
      taken.push(next);
      lane.slices.shift();
    }
    lane.rows -= rows;
    this.#rows -= rows;
    this.#slices -= taken.length;
    if (lane.slices.length === 0) this.#lanes.delete(lane.key);
    return taken;
  }
}

/** Counts a slice without rows as one row. */
function weightOf({ rows }: Slice): number {
  return Math.max(1, rows);
}

class QueuedLane implements Lane {
  readonly slices = new Fifo<Slice>();
  rows = 0;

  constructor(readonly key: LaneKey) {}

  get headArrivedAt(): number {
    return this.slices.at(0)?.progress.job.arrivedAt ?? Infinity;
  }
}
