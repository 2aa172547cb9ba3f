/** With fewer removed entries than this, moving the others would cost more than the memory saved. */
const LEAST_TO_REMOVE = 1_024;

/** A queue whose head is removed in constant time; an array's `shift` moves all later entries. */
export class Fifo<Entry> {
  #entries: (Entry | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#entries.length - this.#head;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
  }

  /** @param index counted from the head, which is 0 */
  at(index: number): Entry | undefined {
    return this.#entries[this.#head + index];
  }

  shift(): Entry | undefined {
    const entry = this.#entries[this.#head];
    if (this.#head === this.#entries.length) return undefined;
    this.#entries[this.#head++] = undefined;
    if (this.#head >= LEAST_TO_REMOVE && this.#head * 2 >= this.#entries.length) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
    return entry;
  }

  toArray(): Entry[] {
    return this.#entries.slice(this.#head) as Entry[];
  }
}
