import { setImmediate } from 'node:timers/promises';

/** Longer than this in one go, and heartbeats, timers and answers wait. */
const TURN_MS = 20;

/** Divides long work into turns, between which the event loop does everything else. */
export class Turns {
  #began = performance.now();

  constructor(readonly turnMs = TURN_MS) {}

  /** Undefined while this turn may go on; else a promise of the next. */
  next(): Promise<void> | undefined {
    if (performance.now() - this.#began < this.turnMs) return undefined;
    return setImmediate().then(() => void (this.#began = performance.now()));
  }
}
