import { z } from 'zod';
import { invalidRequest } from '../../schemas/errors.js';
import type { Tensor } from '../../schemas/generated.js';
import type { Part } from '../dispatch/part.js';
import type { ArrayInput } from '../files/array-input.js';
import { floats } from '../files/float-tensors.js';
import { blockPart, combine, cut, readBlock, valuesOf, type Block } from './blocks.js';
import type { JobKind, JobPlan } from './kind.js';
import { COMMON, count, file, openArray, requireHoldable } from './parameters.js';

const parameters = z.strictObject({
  ...COMMON,
  matrix: file.optional(),
  other: file.optional(),
  /** Cut the matrix by rows, whose results are concatenated, or by columns, whose partial results are summed. */
  by: z.enum(['rows', 'columns']).default('rows'),
  /** Rows or columns of a block. */
  block: count.optional(),
});
const OPERATION = { name: 'multiply' };

/** A matrix `[m,k]` times a vector `[k]`. */
export const matvec = multiplication('matvec', 'multiplies a matrix by a vector', 1);
/** A matrix `[m,k]` times a matrix `[k,n]`. */
export const matmul = multiplication('matmul', 'multiplies a matrix by a matrix', 2);

function multiplication(name: string, summary: string, rank: 1 | 2): JobKind<typeof parameters> {
  return {
    name,
    summary,
    parameters,
    async plan({ matrix, other, by, block }, order) {
      const left = await openArray('matrix', matrix, order);
      const right = await openArray('other', other, order);
      checkShapes(left.shape, right.shape, rank);
      requireHoldable('other', right.shape);
      if (by === 'columns') requireHoldable('matrix', left.shape);
      const whole = floats('other', right.shape, await right.rows(0, right.shape[0] ?? 0));
      await right.close();
      const room = order.maxPartBytes - whole.data.length;
      if (by === 'rows' && room <= 0)
        throw invalidRequest(
          `other: expected at most ${order.maxPartBytes} bytes, got ${whole.data.length}; cut by columns`,
        );
      const factors = { left, right: whole };
      return by === 'rows'
        ? byRows(factors, cut(left.shape, block, room))
        : byColumns(factors, block, order.maxPartBytes);
    },
  };
}

interface Factors {
  readonly left: ArrayInput;
  readonly right: Tensor;
}

/** Each part holds rows of the matrix and the whole right-hand side; results are concatenated. */
function byRows({ left, right }: Factors, blocks: readonly Block[]): JobPlan {
  return {
    parts: blocks.length,
    shape: [left.shape[0] ?? 0, ...right.shape.slice(1)],
    close: () => left.close(),
    async *results(dispatcher, from) {
      dispatcher.skip(from);
      for await (const outputs of dispatcher.inOrder(parts(from))) yield [valuesOf(outputs)];
    },
  };

  async function* parts(from: number): AsyncGenerator<Part> {
    for (const block of blocks.slice(from)) yield blockPart(OPERATION, await readBlock(left, block), right);
  }
}

/** Each part holds columns of the matrix and the rows of the right-hand side that they meet; results are summed in order. */
function byColumns({ left, right }: Factors, columns: number | undefined, maxBytes: number): JobPlan {
  const [rows = 0, inner = 0] = left.shape;
  const width = right.shape[1] ?? 1;
  const blocks = cut([inner, rows + width], columns, maxBytes);
  return {
    parts: blocks.length,
    shape: [rows, ...right.shape.slice(1)],
    isWhole: true,
    close: () => left.close(),
    async *results(dispatcher) {
      let sum: Tensor | undefined;
      for await (const outputs of dispatcher.inOrder(parts())) {
        const partial = valuesOf(outputs);
        sum = sum ? combine('sum', sum, partial) : partial;
      }
      if (sum) yield [sum];
    },
  };

  async function* parts(): AsyncGenerator<Part> {
    const whole = await left.rows(0, rows);
    for (const block of blocks) {
      const values = floats('values', [rows, block.end - block.begin], columnsOf(whole, inner, block));
      yield blockPart(OPERATION, values, rowsOf(right, width, block));
    }
  }
}

function columnsOf(matrix: Float64Array, inner: number, { begin, end }: Block): Float64Array {
  const rows = matrix.length / inner;
  const chosen = new Float64Array(rows * (end - begin));
  for (let row = 0; row < rows; row++)
    chosen.set(matrix.subarray(row * inner + begin, row * inner + end), row * (end - begin));
  return chosen;
}

function rowsOf({ name, shape, data, datatype }: Tensor, width: number, { begin, end }: Block): Tensor {
  const bytesPerRow = width * Float64Array.BYTES_PER_ELEMENT;
  return {
    name,
    datatype,
    shape: [end - begin, ...shape.slice(1)],
    data: data.subarray(begin * bytesPerRow, end * bytesPerRow),
  };
}

function checkShapes(left: readonly number[], right: readonly number[], rank: number): void {
  if (
    left.length === 2 &&
    right.length === rank &&
    left[1] === right[0] &&
    (left[0] ?? 0) > 0 &&
    (left[1] ?? 0) > 0
  )
    return;
  const expected = rank === 1 ? '[m,k] and [k]' : '[m,k] and [k,n]';
  throw invalidRequest(
    `matrix and other: expected shapes ${expected}, got [${left.join(',')}] and [${right.join(',')}]`,
  );
}
