/** Conversion of 16-bit floats, for which JavaScript has no typed array. */

const FRACTION = 2 ** 10;
const LEAST_EXPONENT = -14;
const LARGEST = 65_504;

/** Rounds to the nearest 16-bit float; values out of range become infinite. */
export function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size > LARGEST) return sign | 0x7c00;
  const exponent = Math.max(LEAST_EXPONENT, Math.floor(Math.log2(size)));
  const units = Math.round((size / 2 ** exponent) * FRACTION);
  // Below 1,024 units the number is subnormal; 2,048 units carry into the exponent.
  return sign | (units < FRACTION ? units : units + (exponent - LEAST_EXPONENT) * FRACTION);
}

export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * 2 ** LEAST_EXPONENT * (fraction / FRACTION);
  return sign * 2 ** (exponent - 15) * (1 + fraction / FRACTION);
}
