import { setImmediate } from 'node:timers/promises';

/** Longest uninterrupted computation: beyond this, heartbeats, timers and replies are delayed. */
const TURN_MS = 20;

/** Divides long computations into turns, between which the event loop handles other work. */
export class Turns {
  #began = performance.now();

  constructor(readonly turnMs = TURN_MS) {}

  /** Returns undefined while this turn may continue; otherwise a promise of the next one. */
  next(): Promise<void> | undefined {
    if (performance.now() - this.#began < this.turnMs) return undefined;
    return setImmediate().then(() => void (this.#began = performance.now()));
  }
}
