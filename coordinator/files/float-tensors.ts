import type { Tensor } from '../../schemas/generated.js';
import { encodeElements } from '../../schemas/tensor.js';

/** Returns a tensor of float64, without a copy. */
export function floats(name: string, shape: readonly number[], data: Float64Array): Tensor {
  return {
    name,
    datatype: 'FP64',
    shape: [...shape],
    data: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  };
}

/** Returns a tensor of one text. */
export function text(name: string, value: string): Tensor {
  return { name, datatype: 'BYTES', shape: [1], data: encodeElements('BYTES', [value], name) };
}

/** Returns the elements of an FP64 tensor. */
export function elementsOf({ data }: Tensor): Float64Array<ArrayBuffer> {
  return new Float64Array(ownBuffer(data));
}

/** Returns an aligned buffer with these bytes alone. */
export function ownBuffer(data: Buffer): ArrayBuffer {
  const copy = new ArrayBuffer(data.length);
  new Uint8Array(copy).set(data);
  return copy;
}
