import { elementCount, formatShape } from '../../../schemas/datatypes.js';
import { PartituraError } from '../../../schemas/errors.js';
import { splitBytes } from '../../../schemas/tensor.js';

const LENGTH_BYTES = 4;

/**
 * The elements of a BYTES tensor, as views.
 * @throws PartituraError INVALID_REQUEST unless there are as many as the shape says: the native library doesn't
 *   check, and would read past the end of its memory
 */
export function elementsOf(buffer: ArrayBuffer, shape: readonly number[]): Uint8Array[] {
  const elements = splitBytes(Buffer.from(buffer));
  if (elements.length === elementCount(shape)) return elements;
  throw new PartituraError(
    'INVALID_REQUEST',
    `expected the BYTES elements of shape ${formatShape(shape)}, got ${elements.length}`,
  );
}

/** BYTES elements, each preceded by its 4-byte little-endian length, as one buffer: the inverse of `splitBytes`. */
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

/** The array's own buffer where it owns the whole of one, else a copy: buffers are given away. */
export function ownBuffer(array: NodeJS.TypedArray): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = array;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) return buffer;
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}
