import { Fifo } from '../../core/fifo.js';
import type { Piece } from './batch.js';

/** Pieces that may share a batch, in order of arrival. */
export interface Lane {
  readonly key: string;
  readonly pieces: Fifo<Piece>;
  rows: number;
  /** Monotonic milliseconds at which the oldest job arrived. */
  readonly headArrivedAt: number;
}

/** Queues side by side: one for each key of jobs that may be batched together. An empty lane is forgotten. */
export class Lanes {
  readonly #lanes = new Map<string, QueuedLane>();
  #rows = 0;
  #pieces = 0;

  get pieces(): number {
    return this.#pieces;
  }

  /** Rows in all lanes. */
  get rows(): number {
    return this.#rows;
  }

  add(piece: Piece): void {
    const key = piece.progress.job.laneKey;
    let lane = this.#lanes.get(key);
    if (!lane) this.#lanes.set(key, (lane = new QueuedLane(key)));
    lane.pieces.push(piece);
    lane.rows += weightOf(piece);
    this.#rows += weightOf(piece);
    this.#pieces++;
  }

  /** Empties all lanes. */
  takeAll(): Piece[] {
    const taken: Piece[] = [];
    for (const lane of [...this.#lanes.values()]) taken.push(...this.take(lane, Infinity));
    return taken;
  }

  /** Takes the piece at the lane's head. */
  takeOne(lane: Lane): Piece[] {
    return this.take(lane, 0);
  }

  /** Of the lanes with at least `minRows` the one whose oldest job has waited longest: no rare shape is starved by a common one. */
  oldest(minRows = 0): Lane | undefined {
    let oldest: Lane | undefined;
    for (const lane of this.#lanes.values()) {
      if (lane.rows < minRows) continue;
      if (!oldest || lane.headArrivedAt < oldest.headArrivedAt) oldest = lane;
    }
    return oldest;
  }

  /** Takes pieces from the lane's head: as many as fit in `maxRows`, at least one. */
  take(lane: Lane, maxRows: number): Piece[] {
    const taken: Piece[] = [];
    let rows = 0;
    for (let next = lane.pieces.at(0); next; next = lane.pieces.at(0)) {
      if (taken.length > 0 && rows + weightOf(next) > maxRows) break;
      rows += weightOf(next);
      taken.push(next);
      lane.pieces.shift();
    }
    lane.rows -= rows;
    this.#rows -= rows;
    this.#pieces -= taken.length;
    if (lane.pieces.length === 0) this.#lanes.delete(lane.key);
    return taken;
  }
}

/** A piece without rows waits like one with a row. */
function weightOf({ rows }: Piece): number {
  return Math.max(1, rows);
}

class QueuedLane implements Lane {
  readonly pieces = new Fifo<Piece>();
  rows = 0;

  constructor(readonly key: string) {}

  get headArrivedAt(): number {
    return this.pieces.at(0)?.progress.job.arrivedAt ?? Infinity;
  }
}
