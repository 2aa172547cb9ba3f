import { exactNumber } from '../../schemas/exact-number.js';

const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const UPPER_E = 0x45;
const LOWER_E = 0x65;
/** More digits may not fit a double's 53 bits. */
const EXACT_DIGITS = 15;
/** Powers of ten that a double holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);

/** Problems of a number that is not in JSON's grammar or not in a double's range. */
export type NumberProblem =
  | 'Invalid value.'
  | 'Miss fraction part in number.'
  | 'Miss exponent in number.'
  | 'Number too big to be stored in double.';

/**
 * Reads one number of JSON's grammar (RFC 8259, section 6) from bytes. With up to 15 digits and a power of ten that is
 * exact, the double is computed directly, and correctly rounded since both operands are exact; otherwise from text.
 */
export class NumberToken {
  /** The number read last, as `exactNumber` reads it. */
  value: ReturnType<typeof exactNumber> = 0;
  problem: NumberProblem | undefined;

  /** @returns the end of the number, -1 for a problem; `bytes.length` may mean that more digits follow */
  read(bytes: Buffer, start: number): number {
    this.problem = undefined;
    const negative = bytes[start] === MINUS;
    let at = negative ? start + 1 : start;
    const firstDigit = at;
    let mantissa = 0;
    let byte = bytes[at] as number;
    while (byte >= ZERO && byte <= NINE) {
      mantissa = mantissa * 10 + (byte - ZERO);
      byte = bytes[++at] as number;
    }
    let digits = at - firstDigit;
    if (digits === 0 || (digits > 1 && bytes[firstDigit] === ZERO)) return this.#fail('Invalid value.');
    const isWhole = byte !== POINT && byte !== LOWER_E && byte !== UPPER_E;
    if (isWhole && digits <= EXACT_DIGITS) {
      this.value = negative ? -mantissa : mantissa;
      return at;
    }
    let scale = 0;
    if (byte === POINT) {
      const firstDecimal = ++at;
      byte = bytes[at] as number;
      while (byte >= ZERO && byte <= NINE) {
        mantissa = mantissa * 10 + (byte - ZERO);
        byte = bytes[++at] as number;
      }
      scale = firstDecimal - at;
      if (scale === 0) return this.#fail('Miss fraction part in number.');
      digits -= scale;
    }
    if (byte !== LOWER_E && byte !== UPPER_E && digits <= EXACT_DIGITS) {
      const magnitude = mantissa / (POWERS[-scale] as number);
      this.value = negative ? -magnitude : magnitude;
      return at;
    }
    return this.#readSlowly(bytes, start, at);
  }

  #readSlowly(bytes: Buffer, start: number, end: number): number {
    const last = endOfExponent(bytes, end);
    if (last === -1) return this.#fail('Miss exponent in number.');
    const text = bytes.toString('latin1', start, last);
    if (!Number.isFinite(Number(text))) return this.#fail('Number too big to be stored in double.');
    this.value = exactNumber(text);
    return last;
  }

  #fail(problem: NumberProblem): -1 {
    this.problem = problem;
    return -1;
  }
}

/** Returns the end of an exponent that may begin at `at`; -1 if it has no digits. */
function endOfExponent(bytes: Buffer, at: number): number {
  if (bytes[at] !== LOWER_E && bytes[at] !== UPPER_E) return at;
  let end = at + 1;
  if (bytes[end] === PLUS || bytes[end] === MINUS) end++;
  const first = end;
  while ((bytes[end] ?? 0) >= ZERO && (bytes[end] ?? 0) <= NINE) end++;
  return end === first ? -1 : end;
}
