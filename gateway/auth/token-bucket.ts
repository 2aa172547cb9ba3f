/** A quota of requests per second that allows bursts of one second. */
export class TokenBucket {
  #tokens: number;
  #filledAt: number;

  /** @param now milliseconds */
  constructor(
    readonly perSecond: number,
    readonly now: () => number,
  ) {
    this.#tokens = Math.max(1, perSecond);
    this.#filledAt = now();
  }

  /** Takes a token. @returns 0, or the milliseconds until there is one */
  take(): number {
    const now = this.now();
    const gained = ((now - this.#filledAt) / 1_000) * this.perSecond;
    this.#tokens = Math.min(Math.max(1, this.perSecond), this.#tokens + gained);
    this.#filledAt = now;
    if (this.#tokens < 1) return ((1 - this.#tokens) / this.perSecond) * 1_000;
    this.#tokens--;
    return 0;
  }
}
