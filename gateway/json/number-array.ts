import type { RoundedNumber } from '../../schemas/exact-number.js';

const FIRST_CAPACITY = 64;
const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
const POINT = 0x2e;
const COMMA = 0x2c;
const SPACE = 0x20;
const LINE_FEED = 0x0a;
/** With at most 15 digits, the digits and the power of ten are exact doubles, and so their quotient is rounded right. */
const EXACT_DIGITS = 15;
const POWERS = Array.from({ length: EXACT_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

/** A nested JSON array of numbers: its shape, and its numbers in row-major order. */
export interface NumberArray {
  readonly shape: readonly number[];
  readonly values: Float64Array;
  /** Numbers that a double does not hold exactly where integers are expected, by their index in `values`. */
  readonly exact: ReadonlyMap<number, bigint | RoundedNumber>;
}

export function isNumberArray(value: unknown): value is NumberArray {
  return (
    typeof value === 'object' && value !== null && 'values' in value && value.values instanceof Float64Array
  );
}

/**
 * Collects the numbers of nested arrays as they are read. It refuses what is not rectangular, so that the caller can
 * fall back to plain arrays.
 */
export class NumberCollector {
  #values = new Float64Array(FIRST_CAPACITY);
  #exact = new Map<number, bigint | RoundedNumber>();
  #size = 0;
  /** Sizes by level; -1 until the first array of the level is closed. */
  readonly #shape: number[] = [];
  /** Elements so far in each open array. */
  readonly #counts: number[] = [];
  /** Level of the numbers, known from the first number or empty array on. */
  #rank = -1;

  get depth(): number {
    return this.#counts.length;
  }

  /** @returns false if an array cannot begin here */
  open(): boolean {
    const depth = this.#counts.length;
    if (depth === this.#rank) return false;
    if (depth > 0) this.#counts[depth - 1] = (this.#counts[depth - 1] ?? 0) + 1;
    this.#counts.push(0);
    if (depth === this.#shape.length) this.#shape.push(-1);
    return true;
  }

  /** @returns false if a number cannot stand here */
  add(value: number | bigint | RoundedNumber): boolean {
    const depth = this.#counts.length;
    if (this.#rank === -1) this.#rank = depth;
    if (depth !== this.#rank) return false;
    if (this.#size === this.#values.length) this.#grow();
    if (typeof value !== 'number') this.#exact.set(this.#size, value);
    this.#values[this.#size++] = Number(value);
    this.#counts[depth - 1] = (this.#counts[depth - 1] ?? 0) + 1;
    return true;
  }

  /**
   * Reads the common case in one loop: numbers of at most 15 digits without exponent, each followed by a comma.
   * @returns the position after the last comma, where the next value is expected
   */
  readRun(bytes: Buffer, start: number): number {
    if (this.#rank !== -1 && this.#rank !== this.#counts.length) return start;
    const sizeBefore = this.#size;
    let begin = start;
    for (;;) {
      let at = begin;
      let byte = bytes[at] as number;
      while (byte === SPACE || byte === LINE_FEED) byte = bytes[++at] as number;
      const isNegative = byte === MINUS;
      if (isNegative) byte = bytes[++at] as number;
      const first = at;
      let digits = 0;
      while (byte >= ZERO && byte <= NINE) {
        digits = digits * 10 + (byte - ZERO);
        byte = bytes[++at] as number;
      }
      let length = at - first;
      if (length === 0 || (length > 1 && bytes[first] === ZERO)) break;
      let decimals = 0;
      if (byte === POINT) {
        const point = at++;
        byte = bytes[at] as number;
        while (byte >= ZERO && byte <= NINE) {
          digits = digits * 10 + (byte - ZERO);
          byte = bytes[++at] as number;
        }
        decimals = at - point - 1;
        length += decimals;
        if (decimals === 0) break;
      }
      if (byte !== COMMA || length > EXACT_DIGITS) break;
      if (this.#size === this.#values.length) this.#grow();
      const magnitude = decimals === 0 ? digits : digits / (POWERS[decimals] as number);
      this.#values[this.#size++] = isNegative ? -magnitude : magnitude;
      begin = at + 1;
    }
    this.#count(this.#size - sizeBefore);
    return begin;
  }

  #count(added: number): void {
    if (added === 0) return;
    const depth = this.#counts.length;
    this.#rank = depth;
    this.#counts[depth - 1] = (this.#counts[depth - 1] ?? 0) + added;
  }

  /** @returns false, with the array still open, if it has another size than its siblings */
  close(): boolean {
    const level = this.#counts.length - 1;
    const count = this.#counts[level] ?? 0;
    if (count === 0 && this.#rank === -1) this.#rank = level + 1;
    if (count === 0 && this.#rank !== level + 1) return false;
    if (this.#shape[level] === -1) this.#shape[level] = count;
    if (this.#shape[level] !== count) return false;
    this.#counts.pop();
    return true;
  }

  /** Returns the array, after the outermost `close`. */
  result(): NumberArray {
    return { shape: this.#shape, values: this.#values.subarray(0, this.#size), exact: this.#exact };
  }

  /** Returns the open arrays, outermost first, as plain arrays of the elements that are complete. */
  expand(): unknown[][] {
    const taken = { at: 0 };
    const innermost = this.#counts.length - 1;
    return this.#counts.map((count, level) => {
      const complete = level === innermost ? count : count - 1;
      return Array.from({ length: complete }, () => this.#take(level + 1, taken));
    });
  }

  #take(level: number, taken: { at: number }): unknown {
    if (level === this.#rank) {
      const at = taken.at++;
      return this.#exact.get(at) ?? this.#values[at];
    }
    return Array.from({ length: this.#shape[level] ?? 0 }, () => this.#take(level + 1, taken));
  }

  #grow(): void {
    const larger = new Float64Array(this.#values.length * 2);
    larger.set(this.#values);
    this.#values = larger;
  }
}
