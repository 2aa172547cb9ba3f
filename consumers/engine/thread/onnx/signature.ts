import type { ModelSignature, TensorSpec } from '../../engine.js';
import type { OnnxSession, OnnxValueInfo } from './runtime.js';
import { onnxDatatype, onnxTypeName } from './types.js';
import { unservableModel } from '../refusals.js';

/**
 * Reads the signature in the model's order; named and unknown dimensions are -1.
 * @param labels column labels by output name
 * @throws PartituraError MODEL_FAILED naming the unsupported input or output, with a remedy
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
    throw unservableModel(
      `${title} is not a tensor but a sequence, map or optional value`,
      `export the model with tensor ${role}s only`,
    );
  const datatype = onnxDatatype(type);
  const isNamed = symbolicDimensions.some((dimension) => dimension !== '');
  if (datatype) return { name, datatype, shape, ...(isNamed && { dimensionNames: symbolicDimensions }) };
  throw unservableModel(
    `${title} is ${onnxTypeName(type)}, which the request schema does not support`,
    'add a Cast to FP32 inside the model',
  );
}
