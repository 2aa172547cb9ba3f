import { isNumberArray } from './number-array.js';

/**
 * Replaces number arrays of one level by plain arrays, within objects and lists but not below the key `except`: the
 * scanner packs every list of numbers, and only tensors are meant to be packed.
 */
export function plainArrays(value: unknown, except: string): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isNumberArray(value))
    return value.shape.length === 1
      ? Array.from(value.values, (number, index) => value.exact.get(index) ?? number)
      : value;
  const container = value as Record<string, unknown>;
  for (const key of Object.keys(container))
    if (key !== except) container[key] = plainArrays(container[key], except);
  return value;
}
