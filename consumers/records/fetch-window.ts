import type { ShareFetchReport } from '../../kafka/share-port.js';

/** A fetch that took longer had to wait for its first record. */
const WAITED_MS = 20;
const MAX_RECORDS = 1_000;

/**
 * Number of records that a node takes from a share group at a time. While the queue is short, a node takes one record
 * after another and leaves the rest to others, which may be idle; while fetches come back full at once, more records
 * wait than nodes can take, and the number doubles.
 */
export class FetchWindow {
  #records = 1;
  #isBacklogged = false;

  /** True if more records waited than the last fetch asked for. */
  get isBacklogged(): boolean {
    return this.#isBacklogged;
  }

  get records(): number {
    return this.#records;
  }

  observe({ asked, records, ms }: ShareFetchReport): void {
    this.#isBacklogged = records >= asked && ms < WAITED_MS;
    if (this.#isBacklogged) this.#records = Math.min(MAX_RECORDS, Math.max(this.#records, 2 * asked));
    else if (records < asked) this.#records = Math.max(1, Math.min(this.#records, records));
  }
}
