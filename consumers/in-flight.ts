/** At this share of a bound fetching goes on again, so that it does not stop and go with every record. */
const RESUME_SHARE = 0.5;

/**
 * Counts what is in the node between arrival and acknowledged outcome, in records and bytes, and holds
 * fetching back at the bounds. A fetch that is already under way may pass them by its own size.
 */
export class InFlight {
  #requests = 0;
  #bytes = 0;
  #waiting: (() => void)[] = [];

  constructor(
    readonly maxRequests: number,
    readonly maxBytes: number,
  ) {}

  get requests(): number {
    return this.#requests;
  }

  get bytes(): number {
    return this.#bytes;
  }

  enter(bytes: number): void {
    this.#requests++;
    this.#bytes += bytes;
  }

  leave(bytes: number): void {
    this.#requests--;
    this.#bytes -= bytes;
    if (this.#waiting.length > 0 && this.#isBelow(RESUME_SHARE))
      for (const resume of this.#waiting.splice(0)) resume();
  }

  /** Undefined while there is room; else a promise of room. */
  room(): Promise<void> | undefined {
    if (this.#isBelow(1)) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #isBelow(share: number): boolean {
    return this.#requests < this.maxRequests * share && this.#bytes < this.maxBytes * share;
  }
}
