import { isNumberArray } from './number-array.js';

/**
 * Replaces number arrays of one level by plain arrays, in objects and lists but not below the key `except`: the scanner
 * packs every list of numbers, and only tensors are meant to be packed.
 */
export function plainArrays(value: unknown, except: string): unknown {
  if (isNumberArray(value))
    return value.shape.length === 1
      ? Array.from(value.values, (number, index) => value.exact.get(index) ?? number)
      : value;
  if (Array.isArray(value)) return (value as unknown[]).map((inner) => plainArrays(inner, except));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, key === except ? inner : plainArrays(inner, except)]),
  );
}
