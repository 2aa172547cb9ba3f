import { elementCount, formatShape } from '../../../schemas/datatypes.js';
import { invalidRequest } from '../../../schemas/errors.js';
import { splitBytes } from '../../../schemas/tensor.js';

const LENGTH_BYTES = 4;

/**
 * Splits a BYTES tensor into its elements, as views.
 * @throws PartituraError INVALID_REQUEST unless their number matches the shape: the native library does not check it and
 *   would read out of bounds
 */
export function elementsOf(buffer: ArrayBuffer, shape: readonly number[]): Uint8Array[] {
  const elements = splitBytes(Buffer.from(buffer));
  const expected = elementCount(shape);
  if (elements.length === expected) return elements;
  throw invalidRequest(
    `expected ${expected} BYTES elements for shape ${formatShape(shape)}, got ${elements.length}`,
  );
}

/**
 * Joins BYTES elements into one buffer, each prefixed with its 4-byte little-endian length; the inverse of `splitBytes`.
 */
export function joinBytes(elements: readonly Uint8Array[]): ArrayBuffer {
  let length = 0;
  for (const element of elements) length += LENGTH_BYTES + element.length;
  const joined = new Uint8Array(length);
  const view = new DataView(joined.buffer);
  let position = 0;
  for (const element of elements) {
    view.setUint32(position, element.length, true);
    joined.set(element, position + LENGTH_BYTES);
    position += LENGTH_BYTES + element.length;
  }
  return joined.buffer;
}

/** Returns the array's buffer if the array spans all of it, otherwise a copy: buffers are transferred. */
export function ownBuffer(array: NodeJS.TypedArray): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = array;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) return buffer;
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}
