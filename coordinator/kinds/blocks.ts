import { BLOCKS_TASK } from '../../cluster/jobs/job-status.js';
import { elementCount } from '../../schemas/datatypes.js';
import type { Tensor } from '../../schemas/generated.js';
import type { Part } from '../dispatch/part.js';
import type { ArrayInput } from '../files/array-input.js';
import { invalidRequest } from '../../schemas/errors.js';
import { MAX_PARTS } from './parameters.js';
import { elementsOf, floats, text } from '../files/float-tensors.js';

const DOUBLE_BYTES = 8;
/**
 * Bytes of a block unless the job says otherwise. Results depend on where an array is cut, so this never depends on the
 * number of nodes.
 */
const BLOCK_BYTES = 512 * 1024;

/** Consecutive rows of an array. */
export interface Block {
  readonly begin: number;
  /** Exclusive. */
  readonly end: number;
}

/**
 * Cuts an array by its first dimension.
 * @param rowsPerBlock rows of each block but the last; by default as many as `maxBytes` and half a mebibyte hold
 * @throws PartituraError INVALID_REQUEST for blocks above `maxBytes`, or too many
 */
export function cut(shape: readonly number[], rowsPerBlock: number | undefined, maxBytes: number): Block[] {
  const [rows = 0, ...rest] = shape;
  const bytesPerRow = Math.max(1, elementCount(rest)) * DOUBLE_BYTES;
  const size = rowsPerBlock ?? Math.max(1, Math.floor(Math.min(maxBytes, BLOCK_BYTES) / bytesPerRow));
  if (Math.min(size, rows) * bytesPerRow > maxBytes)
    throw invalidRequest(
      `block: expected at most ${maxBytes} bytes, got ${size} rows of ${bytesPerRow} bytes`,
    );
  if (rows / size > MAX_PARTS)
    throw invalidRequest(`block: expected at most ${MAX_PARTS} blocks, got ${Math.ceil(rows / size)}`);
  const blocks: Block[] = [];
  for (let begin = 0; begin < rows; begin += size) blocks.push({ begin, end: Math.min(rows, begin + size) });
  return blocks;
}

/** Creates the part that computes an operation on a block. @param other carry or right-hand side; null for none */
export function blockPart(operation: object, values: Tensor, other: Tensor | null): Part {
  return {
    model: BLOCKS_TASK,
    inputs: [
      text('operation', JSON.stringify(operation)),
      values,
      other ? { ...other, name: 'other' } : floats('other', [0], new Float64Array()),
    ],
  };
}

/** Reads a block as the input of a part. */
export async function readBlock(input: ArrayInput, { begin, end }: Block): Promise<Tensor> {
  return floats('values', [end - begin, ...input.shape.slice(1)], await input.rows(begin, end));
}

/** Returns the only output of a part. @throws Error if the node answered without it */
export function valuesOf([values]: readonly Tensor[]): Tensor {
  if (values?.datatype === 'FP64') return values;
  throw new Error(`task '${BLOCKS_TASK}': expected FP64 values, got ${values?.datatype ?? 'none'}`);
}

const COMBINE: Readonly<Record<string, (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  product: (a, b) => a * b,
  max: Math.max,
  min: Math.min,
};

export const OPERATIONS = ['sum', 'product', 'max', 'min', 'matrix'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Combines two results of blocks, the left one first; of one element, or square matrices of one size. */
export function combine(operation: Operation, left: Tensor, right: Tensor): Tensor {
  const [a, b] = [elementsOf(left), elementsOf(right)];
  if (operation === 'matrix') return floats(left.name, left.shape, multiplySquare(a, b));
  const apply = COMBINE[operation] as (a: number, b: number) => number;
  return floats(
    left.name,
    left.shape,
    a.map((value, index) => apply(value, b[index] ?? NaN)),
  );
}

/** Multiplies square matrices; each sum runs over the inner dimension in order. */
function multiplySquare(a: Float64Array, b: Float64Array): Float64Array {
  const size = Math.sqrt(a.length);
  const result = new Float64Array(a.length);
  for (let row = 0; row < size; row++)
    for (let inner = 0; inner < size; inner++)
      for (let column = 0; column < size; column++)
        result[row * size + column] =
          (result[row * size + column] ?? 0) +
          (a[row * size + inner] ?? NaN) * (b[inner * size + column] ?? NaN);
  return result;
}
