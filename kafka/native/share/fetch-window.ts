/**
 * A fetch that took longer had to wait for its first record: longer than most round trips of this member so far, within
 * these limits, milliseconds.
 */
const WAITED_MS = { least: 20, most: 50 };
const MAX_RECORDS = 1_000;
const GROWTH = 2;
/** Weights and factor of RFC 6298, which estimates how long an answer takes at most. */
const MEAN_WEIGHT = 1 / 8;
const DEVIATION_WEIGHT = 1 / 4;
const DEVIATIONS = 4;

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
  /** Mean time of fetches that did not wait for records, and its mean deviation. */
  #meanMs = 0;
  #deviationMs = 0;

  get records(): number {
    return this.#records;
  }

  /**
   * Time for which records may be taken ahead of work, milliseconds: the next ones have to come before these are done. 0
   * while none waited that were not taken.
   */
  get aheadMs(): number {
    return this.#isBacklogged ? this.#longestMs : 0;
  }

  /** Interval at which a busy member is asked for its room, milliseconds. */
  get askAgainMs(): number {
    return this.#isBacklogged ? Math.max(1, this.#meanMs / 4) : Infinity;
  }

  observe({ asked, records, ms }: FetchReport): void {
    const waitedMs = Math.min(WAITED_MS.most, Math.max(WAITED_MS.least, this.#longestMs));
    const isImmediate = records > 0 && ms < waitedMs;
    if (isImmediate) this.#learn(ms);
    this.#isBacklogged = records >= asked && isImmediate;
    if (this.#isBacklogged) this.#records = Math.min(MAX_RECORDS, Math.max(this.#records, GROWTH * asked));
    else if (records < asked) this.#records = records > 1 ? Math.min(this.#records, GROWTH * records) : 1;
  }

  /** Estimated time within which a fetch that need not wait is answered. */
  get #longestMs(): number {
    return this.#meanMs + DEVIATIONS * this.#deviationMs;
  }

  #learn(ms: number): void {
    const isFirst = this.#meanMs === 0;
    const deviation = isFirst ? ms / 2 : Math.abs(ms - this.#meanMs);
    this.#deviationMs += (deviation - this.#deviationMs) * (isFirst ? 1 : DEVIATION_WEIGHT);
    this.#meanMs += (ms - this.#meanMs) * (isFirst ? 1 : MEAN_WEIGHT);
  }
}
