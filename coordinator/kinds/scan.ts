import { z } from 'zod';
import type { Tensor } from '../../schemas/generated.js';
import type { Dispatcher } from '../dispatch/dispatcher.js';
import type { Part } from '../dispatch/part.js';
import { blockPart, combine, cut, OPERATIONS, readBlock, valuesOf } from './blocks.js';
import type { JobKind } from './kind.js';
import { COMMON, count, file, flag, openArray, requireHoldable } from './parameters.js';
import { checkShape, totals, type Folding } from './reduce.js';

const parameters = z.strictObject({
  ...COMMON,
  values: file.optional(),
  operation: z.enum(OPERATIONS),
  /** True for every element combined with those after it instead of those before it. */
  backward: flag.default(false),
  /** True to leave the element itself out. */
  exclusive: flag.default(false),
  /** Rows of a block. */
  block: count.optional(),
});

/**
 * Every element combined with all before it, in two passes: the first reduces each block, the second scans each block,
 * beginning with the carry, which is the total of all blocks before it. For floating point, the order is: within a block
 * from its beginning, `((carry ∘ x0) ∘ x1) ∘ …`; carries from the first block, `(t0 ∘ t1) ∘ …`. Backward, all from the end.
 * Results have the same bits for any nodes, order of arrival and failures, because blocks are cut by their size alone.
 */
export const scan: JobKind<typeof parameters> = {
  name: 'scan',
  summary: 'combines every element of an array with all before it, or all after it',
  parameters,
  async plan({ values, operation, backward, exclusive, block }, order) {
    const input = await openArray('values', values, order);
    const blocks = cut(checkShape(input.shape, operation), block, order.maxPartBytes);
    requireHoldable('carries', [blocks.length, ...input.shape.slice(1)]);
    const folding = { input, blocks, operation, backward };
    return {
      parts: 2 * blocks.length - 1,
      shape: input.shape,
      close: () => input.close(),
      async *results(dispatcher, from) {
        const carries = await carriesOf(dispatcher, folding);
        dispatcher.skip(from);
        const parts = scanParts(folding, carries, { exclusive, from });
        for await (const outputs of dispatcher.inOrder(parts)) yield [valuesOf(outputs)];
      },
    };
  },
};

/** Computes the carry into each block; null for the one where the scan begins. */
async function carriesOf(dispatcher: Dispatcher, folding: Folding): Promise<(Tensor | null)[]> {
  const { blocks, operation, backward } = folding;
  const order = backward ? [...blocks].reverse() : blocks;
  const carries: (Tensor | null)[] = [null];
  // Nothing follows the last block, so its total is not needed.
  for await (const total of totals(dispatcher, { ...folding, blocks: order.slice(0, -1) })) {
    const carry = carries.at(-1) ?? null;
    if (carry === null) carries.push(total);
    else carries.push(backward ? combine(operation, total, carry) : combine(operation, carry, total));
  }
  return backward ? carries.reverse() : carries;
}

async function* scanParts(
  { input, blocks, operation, backward }: Folding,
  carries: readonly (Tensor | null)[],
  { exclusive, from }: { readonly exclusive: boolean; readonly from: number },
): AsyncGenerator<Part> {
  const scanning = { name: 'scan', with: operation, backward, exclusive };
  for (const [index, block] of blocks.entries())
    if (index >= from) yield blockPart(scanning, await readBlock(input, block), carries[index] ?? null);
}
