import { setImmediate } from 'node:timers/promises';

/** A longer slice would hold up the node's heartbeats and requests. */
const SLICE_MS = 10;

/** Divides long work into slices, between which the event loop turns to other work. */
export class Pacer {
  #begun = performance.now();

  async pause(): Promise<void> {
    if (performance.now() - this.#begun < SLICE_MS) return;
    await setImmediate();
    this.#begun = performance.now();
  }
}
