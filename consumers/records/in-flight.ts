/** Fraction of a limit at which fetching resumes, so that it does not toggle with every record. */
const RESUME_PART = 0.5;
/** Fraction of the limits that all models share; the rest is split evenly, so one model's backlog cannot starve another. */
const COMMON_PART = 0.75;

/**
 * Counts records and bytes in flight, between arrival and acknowledged outcome. Each model has a share: its own part,
 * and whatever is left of the common part.
 */
export class InFlight {
  readonly #shares = new Set<InFlightShare>();

  constructor(
    readonly maxRequests: number,
    readonly maxBytes: number,
  ) {}

  get requests(): number {
    return sum(this.#shares, ({ requests }) => requests);
  }

  get bytes(): number {
    return sum(this.#shares, ({ bytes }) => bytes);
  }

  /** Adds a share, until its `end` is called. */
  share(): InFlightShare {
    const share = new InFlightShare(this);
    this.#shares.add(share);
    return share;
  }

  end(share: InFlightShare): void {
    this.#shares.delete(share);
    this.resume();
  }

  /** @param part fraction of the limits that may be filled */
  hasRoom({ requests, bytes }: InFlightShare, part: number): boolean {
    if (this.#isBelow(this.requests, this.bytes, this.#shares.size === 1 ? part : part * COMMON_PART))
      return true;
    const own = (1 - COMMON_PART) / this.#shares.size;
    return this.#shares.size > 1 && this.#isBelow(requests, bytes, part * own);
  }

  #isBelow(requests: number, bytes: number, part: number): boolean {
    return requests < this.maxRequests * part && bytes < this.maxBytes * part;
  }

  /** Wakes shares that wait: what one share releases may be room for another. */
  resume(): void {
    for (const share of this.#shares) share.resume();
  }
}

/** One model's share of the limits. It blocks fetching at the limits, which one fetch may exceed by its own size. */
export class InFlightShare {
  #requests = 0;
  #bytes = 0;
  #waiting: (() => void)[] = [];

  constructor(readonly whole: InFlight) {}

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

  /** Adds the bytes of an answer that is held beside its record. */
  grow(bytes: number): void {
    this.#bytes += bytes;
  }

  leave(bytes: number): void {
    this.#requests--;
    this.#bytes -= bytes;
    this.whole.resume();
  }

  /** Returns a promise while the limits are reached. */
  whenBelowLimit(): Promise<void> | undefined {
    if (this.whole.hasRoom(this, 1)) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  resume(): void {
    if (this.#waiting.length === 0 || !this.whole.hasRoom(this, RESUME_PART)) return;
    for (const resume of this.#waiting.splice(0)) resume();
  }

  /** Removes the share with everything still in it. */
  end(): void {
    this.whole.end(this);
  }
}

function sum(shares: Iterable<InFlightShare>, pick: (share: InFlightShare) => number): number {
  let total = 0;
  for (const share of shares) total += pick(share);
  return total;
}
