import { ELEMENT_BYTES, elementCount, type Datatype } from '../../schemas/datatypes.js';
import { elementEnd } from '../../schemas/tensor.js';

/** A tensor whose first dimension is the batch dimension. */
export interface RowTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: Buffer;
}

/** Byte offsets of the rows of a tensor: row `r` is `offsets[r]` to `offsets[r + 1]`. */
export type RowOffsets = (row: number) => number;

/** Computes row offsets: by arithmetic or, for BYTES of varying size, by one pass over the data. */
export function rowOffsets({ datatype, shape, data }: RowTensor): RowOffsets {
  const elementsPerRow = elementCount(shape.slice(1));
  const elementBytes = ELEMENT_BYTES[datatype];
  if (elementBytes !== undefined) return (row) => row * elementsPerRow * elementBytes;
  const offsets = walkRows(data, elementsPerRow, shape[0] ?? 0);
  return (row) => offsets[row] ?? data.length;
}

function walkRows(data: Buffer, elementsPerRow: number, rows: number): number[] {
  const offsets = [0];
  let position = 0;
  for (let row = 0; row < rows; row++) {
    for (let element = 0; element < elementsPerRow; element++) position = elementEnd(data, position);
    offsets.push(position);
  }
  return offsets;
}

/** Returns rows `start` to `start + count` as a view. */
export function sliceRows(tensor: RowTensor, offsets: RowOffsets, start: number, count: number): RowTensor {
  if (start === 0 && count === tensor.shape[0]) return tensor;
  const { name, datatype, shape, data } = tensor;
  return {
    name,
    datatype,
    shape: [count, ...shape.slice(1)],
    data: data.subarray(offsets(start), offsets(start + count)),
  };
}

/** Concatenates tensors that differ only in rows. */
export function joinRows(parts: readonly RowTensor[]): RowTensor {
  const [first] = parts;
  if (!first) throw new RangeError('no parts to join');
  if (parts.length === 1) return first;
  const rows = parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
  return {
    ...first,
    shape: [rows, ...first.shape.slice(1)],
    data: Buffer.concat(parts.map((part) => part.data)),
  };
}
