const REMEMBERED = 64;
/** Parts that must be done before others count as late. */
const MIN_SAMPLES = 3;
const FACTOR = 4;
const MIN_MS = 1_000;

/** The time after which a part counts as late: a multiple of the median of recent parts. */
export class StragglerLimit {
  readonly #recent: number[] = [];

  /** Notes the duration of a part, milliseconds. */
  note(ms: number): void {
    this.#recent.push(ms);
    if (this.#recent.length > REMEMBERED) this.#recent.shift();
  }

  /** Milliseconds; infinite while too few parts are known. */
  get ms(): number {
    if (this.#recent.length < MIN_SAMPLES) return Infinity;
    const sorted = [...this.#recent].sort((a, b) => a - b);
    return Math.max(MIN_MS, FACTOR * (sorted[Math.floor(sorted.length / 2)] ?? 0));
  }
}
