/** At this part of a bound fetching goes on again, so that it does not stop and go with every record. */
const RESUME_PART = 0.5;
/** What the models of a node have in common; the rest is divided among them, so that none waits for another's backlog. */
const COMMON_PART = 0.75;

/**
 * Counts what is in the node between arrival and acknowledged outcome, in records and bytes. Each model has a share: it
 * may take what is common while there is some, and always what is its own.
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

  /** A share more, until it is given back with `end`. */
  share(): InFlightShare {
    const share = new InFlightShare(this);
    this.#shares.add(share);
    return share;
  }

  end(share: InFlightShare): void {
    this.#shares.delete(share);
    this.resume();
  }

  /** @param part of the bounds that may be filled */
  hasRoom({ requests, bytes }: InFlightShare, part: number): boolean {
    if (this.#isBelow(this.requests, this.bytes, this.#shares.size === 1 ? part : part * COMMON_PART))
      return true;
    const own = (1 - COMMON_PART) / this.#shares.size;
    return this.#shares.size > 1 && this.#isBelow(requests, bytes, part * own);
  }

  #isBelow(requests: number, bytes: number, part: number): boolean {
    return requests < this.maxRequests * part && bytes < this.maxBytes * part;
  }

  /** What one share gives back may be room for another. */
  resume(): void {
    for (const share of this.#shares) share.resume();
  }
}

/** One model's part of what is in flight. Holds its fetching back at the bounds; a fetch under way may pass them by its own size. */
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

  /** Adds bytes to a record that has entered: its answer waits beside it. */
  grow(bytes: number): void {
    this.#bytes += bytes;
  }

  leave(bytes: number): void {
    this.#requests--;
    this.#bytes -= bytes;
    this.whole.resume();
  }

  /** Undefined while there is room; else a promise of room. */
  whenBelowLimit(): Promise<void> | undefined {
    if (this.whole.hasRoom(this, 1)) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  resume(): void {
    if (this.#waiting.length === 0 || !this.whole.hasRoom(this, RESUME_PART)) return;
    for (const resume of this.#waiting.splice(0)) resume();
  }

  /** Gives the share back; what is still in it counts no more. */
  end(): void {
    this.whole.end(this);
  }
}

function sum(shares: Iterable<InFlightShare>, pick: (share: InFlightShare) => number): number {
  let total = 0;
  for (const share of shares) total += pick(share);
  return total;
}
