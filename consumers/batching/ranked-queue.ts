import { Fifo } from '../../core/fifo.js';
import type { Slice } from './batch.js';

/**
 * Slices by rank: arrival minus head start. A job overtakes those that arrived within its head start before it, and none
 * that arrived earlier, so that no job waits for an unbounded number of others.
 */
export class RankedQueue {
  /** Slices with one head start, in order of arrival; most queues have one. */
  readonly #queues = new Map<number, Fifo<Slice>>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(slice: Slice): void {
    const { headStartMs = 0 } = slice.progress.job;
    let queue = this.#queues.get(headStartMs);
    if (!queue) this.#queues.set(headStartMs, (queue = new Fifo()));
    queue.push(slice);
    this.#length++;
  }

  /** Returns the slice with the lowest rank. */
  peek(): Slice | undefined {
    return this.#first()?.at(0);
  }

  /** Removes and returns the slice with the lowest rank. */
  shift(): Slice | undefined {
    const first = this.#first();
    if (!first) return undefined;
    this.#length--;
    return first.shift();
  }

  #first(): Fifo<Slice> | undefined {
    let first: Fifo<Slice> | undefined;
    let lowest = Infinity;
    for (const queue of this.#queues.values()) {
      const head = queue.at(0);
      const rank = head ? rankOf(head) : Infinity;
      if (rank < lowest) [first, lowest] = [queue, rank];
    }
    return first;
  }
}

/** Returns the time, monotonic milliseconds, at which a job without a head start would have to arrive for this turn. */
export function rankOf({ progress: { job } }: Slice): number {
  return job.arrivedAt - (job.headStartMs ?? 0);
}

/** Returns true for work that goes into idle capacity only: it has a negative head start. */
export function isBulk({ progress: { job } }: Slice): boolean {
  return (job.headStartMs ?? 0) < 0;
}
