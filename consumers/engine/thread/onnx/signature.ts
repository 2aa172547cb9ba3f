import type { ModelSignature, TensorSpec } from '../../engine.js';
import type { OnnxSession, OnnxValueInfo } from './runtime.js';
import { onnxDatatype, onnxTypeName } from './types.js';
import { refusal } from '../refusals.js';

/**
 * Reads how the model is called, in its own order; dimensions with a name or none are -1.
 * @param labels of the columns of some outputs
 * @throws PartituraError MODEL_FAILED that names what cannot be served, with the way out
 */
export function onnxSignature(
  { inputMetadata, outputMetadata }: OnnxSession,
  labels: ReadonlyMap<string, readonly string[]> = new Map(),
): ModelSignature {
  return {
    inputs: inputMetadata.map((info) => tensorSpec(info, 'input')),
    outputs: outputMetadata.map((info) => {
      const known = labels.get(info.name);
      return { ...tensorSpec(info, 'output'), ...(known && { labels: known }) };
    }),
  };
}

function tensorSpec(
  { name, isTensor, type = 0, shape = [], symbolicDimensions = [] }: OnnxValueInfo,
  role: 'input' | 'output',
): TensorSpec {
  const title = `${role} '${name}'`;
  if (!isTensor)
    throw refusal(
      `${title} is not a tensor but a sequence, map or optional value`,
      `export the model with tensors as ${role}s only`,
    );
  const datatype = onnxDatatype(type);
  const isNamed = symbolicDimensions.some((dimension) => dimension !== '');
  if (datatype) return { name, datatype, shape, ...(isNamed && { dimensionNames: symbolicDimensions }) };
  throw refusal(
    `${title} is ${onnxTypeName(type)}, which requests have no name for`,
    'add a Cast to FP32 inside the model',
  );
}
