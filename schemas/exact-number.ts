/** Numbers beyond this fit no integer type, so that their digits make no difference. */
const LARGEST_INTEGER = 2 ** 64;
const FORM = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** A number that is no integer although its nearest double is one: no integer type holds it. */
export class RoundedNumber {
  /** @param value its nearest double */
  constructor(
    readonly text: string,
    readonly value: number,
  ) {}

  valueOf(): number {
    return this.value;
  }

  toJSON(): number {
    return this.value;
  }
}

/**
 * Reads a JSON number without losing what an integer type would keep: a double; a bigint for an integer beyond 2^53,
 * also one with a point or an exponent; and a `RoundedNumber` where the double is an integer and the number is not.
 */
export function exactNumber(text: string): number | bigint | RoundedNumber {
  const value = Number(text);
  if (!Number.isInteger(value)) return value;
  const [, sign = '', whole = '', decimals = '', exponent = '0'] = FORM.exec(text) ?? [];
  const isPlain = decimals === '' && exponent === '0';
  if (isPlain) return Number.isSafeInteger(value) ? value : BigInt(text);
  if (Math.abs(value) > LARGEST_INTEGER) return value;
  const exact = integerOf(whole + decimals, Number(exponent) - decimals.length);
  if (exact === undefined) return new RoundedNumber(text, value);
  if (Number.isSafeInteger(value)) return value;
  return sign === '-' ? -exact : exact;
}

/** Returns digits × 10^scale if it is an integer. */
function integerOf(digits: string, scale: number): bigint | undefined {
  let end = digits.length;
  while (end > 0 && digits[end - 1] === '0') end--;
  if (end === 0) return 0n;
  const zeros = scale + digits.length - end;
  return zeros < 0 ? undefined : BigInt(digits.slice(0, end)) * 10n ** BigInt(zeros);
}
