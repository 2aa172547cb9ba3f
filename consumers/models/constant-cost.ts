import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelSignature, ModelSource, TensorSpec } from '../engine/engine.js';
import { formatNamed } from '../engine/formats.js';

/** Maximum size of a graph to search; larger models do not belong on the event loop. */
const MAX_FILE_BYTES = 16 * 2 ** 20;

/**
 * True if every row takes the same time, so that measurements with zeros apply to all values: all dimensions except rows are
 * fixed, no tensor is BYTES, and the graph has no loops.
 */
export async function hasConstantCost(
  { directory, format }: Pick<ModelSource, 'directory' | 'format'>,
  { inputs, outputs }: ModelSignature,
  batchable: boolean,
): Promise<boolean> {
  if (![...inputs, ...outputs].every((spec) => hasFixedSize(spec, batchable))) return false;
  const { file: name, loops } = formatNamed(format);
  const file = join(directory, name);
  const found = await stat(file).catch(() => undefined);
  if (!found || found.size > MAX_FILE_BYTES) return false;
  const graph = await readFile(file);
  // Searched for as text; a false positive merely keeps the model in its worker thread.
  return !loops.some((operation) => graph.includes(operation));
}

/** True if a tensor has a fixed size. Without batching requests are never split, so rows must be fixed too. */
function hasFixedSize({ datatype, shape }: TensorSpec, batchable: boolean): boolean {
  const fixed = batchable ? shape.slice(1) : shape;
  return datatype !== 'BYTES' && shape.length > 0 && !fixed.includes(-1);
}
