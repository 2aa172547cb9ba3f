import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelFormat, ModelSignature, ModelSource, TensorSpec } from '../engine/engine.js';

/** Larger graphs are not searched: what has so much in it has no place in the event loop. */
const MAX_FILE_BYTES = 16 * 2 ** 20;

const FILES: Readonly<Record<ModelFormat, string>> = {
  saved_model: 'saved_model.pb',
  onnx: 'model.onnx',
  graph_model: 'model.json',
  layers_model: 'model.json',
};

/**
 * Operations that repeat as often as the data say. They are searched for as text: a model that has such a word for
 * another reason only stays in its thread.
 */
const TENSORFLOW_LOOPS = ['While', 'LoopCond', 'NextIteration'];
const LOOPS: Readonly<Record<ModelFormat, readonly string[]>> = {
  saved_model: TENSORFLOW_LOOPS,
  graph_model: TENSORFLOW_LOOPS,
  layers_model: TENSORFLOW_LOOPS,
  onnx: ['Loop', 'Scan'],
};

/**
 * Whether a row takes as long as any other, so that what was measured on zeros holds: all dimensions but the rows are
 * fixed, there is no text, and the graph has no loops.
 */
export async function hasConstantCost(
  { directory, format }: Pick<ModelSource, 'directory' | 'format'>,
  { inputs, outputs }: ModelSignature,
  batchable: boolean,
): Promise<boolean> {
  if (![...inputs, ...outputs].every((spec) => isSteadySpec(spec, batchable))) return false;
  const file = join(directory, FILES[format]);
  const found = await stat(file).catch(() => undefined);
  if (!found || found.size > MAX_FILE_BYTES) return false;
  const graph = await readFile(file);
  return !LOOPS[format].some((operation) => graph.includes(operation));
}

/** A request of a model that is not batched is never cut: its rows must be fixed, too. */
function isSteadySpec({ datatype, shape }: TensorSpec, batchable: boolean): boolean {
  const fixed = batchable ? shape.slice(1) : shape;
  return datatype !== 'BYTES' && shape.length > 0 && !fixed.includes(-1);
}
