/**
 * Tensor data types by their Open Inference Protocol names, with bytes per element. BYTES has variable size: each
 * element is preceded by its length as a 4-byte little-endian integer.
 */
export const ELEMENT_BYTES = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: undefined,
} as const satisfies Record<string, number | undefined>;

export type Datatype = keyof typeof ELEMENT_BYTES;

/** True when `name` is a data type of the protocol. */
export function isDatatype(name: string): name is Datatype {
  return Object.hasOwn(ELEMENT_BYTES, name);
}

/** Returns the number of elements of a shape; 1 for a scalar (`[]`). */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const dimension of shape) count *= dimension;
  return count;
}

/** Formats a shape for error messages: `[2,64]`. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(',')}]`;
}
