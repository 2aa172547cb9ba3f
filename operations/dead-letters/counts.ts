const MAX_NAMES = 200;
const OTHERS = '(others)';

/** Counts by name. Senders choose the names, so their number is limited. */
export class Counts {
  readonly #counts = new Map<string, number>();
  total = 0;

  add(name: string): void {
    const counted = this.#counts.has(name) || this.#counts.size < MAX_NAMES ? name : OTHERS;
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1);
    this.total++;
  }

  /** The most frequent first. */
  entries(): [string, number][] {
    return [...this.#counts].sort(([one, a], [other, b]) => b - a || one.localeCompare(other));
  }

  toJSON(): Record<string, number> {
    return Object.fromEntries(this.entries());
  }
}
