const CLOSING = -1;
const OPENING = 0;
const MAX_EPOCH = 2 ** 31 - 1;

/** The change of a session's partitions with the next fetch. */
export interface SessionChange {
  readonly added: readonly number[];
  readonly forgotten: readonly number[];
}

/**
 * The state of a share session: the broker remembers which partitions a member fetches, and requests are numbered.
 *
 *   0 opens ──▶ 1 ──▶ 2 ──▶ … ──▶ -1 closes and releases what is held
 */
export class ShareSession {
  static readonly closing = CLOSING;
  #epoch = OPENING;
  #topicId = '';
  #partitions: ReadonlySet<number> = new Set();

  /** Number of the next request. */
  get epoch(): number {
    return this.#epoch;
  }

  get isOpen(): boolean {
    return this.#epoch !== OPENING;
  }

  /** Topic of the open session. */
  get topicId(): string {
    return this.#topicId;
  }

  /** Compares the session's partitions with those to fetch. */
  change(wanted: readonly number[]): SessionChange {
    return {
      added: wanted.filter((partition) => !this.#partitions.has(partition)),
      forgotten: [...this.#partitions].filter((partition) => !wanted.includes(partition)),
    };
  }

  /** Notes that the broker has answered a fetch of these partitions. */
  fetched(topicId: string, wanted: readonly number[]): void {
    this.#topicId = topicId;
    this.#partitions = new Set(wanted);
    this.advance();
  }

  /** Notes that the broker has answered a request. */
  advance(): void {
    this.#epoch = this.#epoch === MAX_EPOCH ? 1 : this.#epoch + 1;
  }

  /** Starts over: the next fetch opens a new session. */
  reset(): void {
    this.#epoch = OPENING;
    this.#partitions = new Set();
  }
}
