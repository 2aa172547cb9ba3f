import { setImmediate } from 'node:timers/promises';

/** Longer than this in one go, and heartbeats, timers and answers wait. */
const TURN_MS = 20;

/** Shares the event loop with everything else while a large fetch is taken piece by piece. */
export class Turns {
  #began = performance.now();

  /** Undefined while this turn may go on; else a promise of the next. */
  next(): Promise<void> | undefined {
    if (performance.now() - this.#began < TURN_MS) return undefined;
    return setImmediate().then(() => void (this.#began = performance.now()));
  }
}
