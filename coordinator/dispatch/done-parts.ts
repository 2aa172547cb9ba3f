/** The parts of a job that are done, kept small: the first ones as a count, the others by their index. */
export class DoneParts {
  readonly #later = new Set<number>();
  #first = 0;

  add(index: number): void {
    if (index >= this.#first) this.#later.add(index);
    while (this.#later.delete(this.#first)) this.#first++;
  }

  get count(): number {
    return this.#first + this.#later.size;
  }

  /** Returns ranges of indexes: `0-12,15`; empty if none is done. */
  toString(): string {
    const ranges: [number, number][] = this.#first > 0 ? [[0, this.#first - 1]] : [];
    for (const index of [...this.#later].sort((a, b) => a - b)) {
      const last = ranges.at(-1);
      if (last && last[1] === index - 1) last[1] = index;
      else ranges.push([index, index]);
    }
    return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');
  }
}
