import { z } from 'zod';
import { invalidRequest } from '../../schemas/errors.js';
import type { Tensor } from '../../schemas/generated.js';
import type { Dispatcher } from '../dispatch/dispatcher.js';
import type { Part } from '../dispatch/part.js';
import type { ArrayInput } from '../files/array-input.js';
import {
  blockPart,
  combine,
  cut,
  OPERATIONS,
  readBlock,
  valuesOf,
  type Block,
  type Operation,
} from './blocks.js';
import type { JobKind } from './kind.js';
import { COMMON, count, file, openArray } from './parameters.js';

const parameters = z.strictObject({
  ...COMMON,
  values: file.optional(),
  operation: z.enum(OPERATIONS),
  /** Rows of a block. */
  block: count.optional(),
});

/** `x0 ∘ x1 ∘ … ∘ xn`: each block from its left, then the blocks from the left. */
export const reduce: JobKind<typeof parameters> = {
  name: 'reduce',
  summary: 'combines all elements of an array with an associative operation',
  parameters,
  async plan({ values, operation, block }, order) {
    const input = await openArray('values', values, order);
    const blocks = cut(checkShape(input.shape, operation), block, order.maxPartBytes);
    return {
      parts: blocks.length,
      shape: input.shape.length === 1 ? [1] : input.shape.slice(1),
      isWhole: true,
      close: () => input.close(),
      async *results(dispatcher) {
        let total: Tensor | undefined;
        for await (const partial of totals(dispatcher, { input, blocks, operation, backward: false }))
          total = total ? combine(operation, total, partial) : partial;
        if (total) yield [{ ...total, shape: input.shape.length === 1 ? [1] : total.shape }];
      },
    };
  },
};

/** An array that is being folded block by block. */
export interface Folding {
  readonly input: ArrayInput;
  readonly blocks: readonly Block[];
  readonly operation: Operation;
  readonly backward: boolean;
}

/** Yields the total of each block, in the order of `blocks`. */
export async function* totals(dispatcher: Dispatcher, folding: Folding): AsyncGenerator<Tensor> {
  for await (const outputs of dispatcher.inOrder(reduceParts(folding))) yield valuesOf(outputs);
}

async function* reduceParts({ input, blocks, operation, backward }: Folding): AsyncGenerator<Part> {
  for (const block of blocks)
    yield blockPart({ name: 'reduce', with: operation, backward }, await readBlock(input, block), null);
}

/** @throws PartituraError INVALID_REQUEST unless the shape is `[n]` or, for matrices, `[n,k,k]`, with n of at least 1 */
export function checkShape(shape: readonly number[], operation: Operation): readonly number[] {
  const [rows = 0, height, width] = shape;
  const isChain = operation === 'matrix';
  const fits = isChain ? shape.length === 3 && height === width && height !== 0 : shape.length === 1;
  if (fits && rows > 0) return shape;
  const expected = isChain ? '[n,k,k] for matrices' : '[n]';
  throw invalidRequest(
    `values: expected shape ${expected} with at least one element, got [${shape.join(',')}]`,
  );
}
