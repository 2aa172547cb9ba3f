/** A fetch that took longer had to wait for its first record. */
const WAITED_MS = 20;
const MAX_RECORDS = 1_000;
const GROWTH = 2;

export interface FetchReport {
  readonly asked: number;
  readonly records: number;
  readonly ms: number;
}

/**
 * Number of records that a member asks for at a time. While few records wait, it takes one after another and leaves the
 * rest to others, which may be idle; while fetches come back full at once, more records wait than the members take, and
 * the number doubles.
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

  observe({ asked, records, ms }: FetchReport): void {
    this.#isBacklogged = records >= asked && ms < WAITED_MS;
    if (this.#isBacklogged) this.#records = Math.min(MAX_RECORDS, Math.max(this.#records, GROWTH * asked));
    else if (records < asked) this.#records = records > 1 ? Math.min(this.#records, GROWTH * records) : 1;
  }
}
