import type { ModelSignature, TensorSpec } from '../engine.js';
import type { OnnxSession, OnnxValueInfo } from './onnx-runtime.js';
import { onnxDatatype, onnxTypeName } from './onnx-types.js';
import { refusal } from './refusals.js';

/**
 * How the model is called, in its own order; dimensions with a name or none are -1.
 * @throws PartituraError MODEL_FAILED that names what can't be served, with the way out
 */
export function onnxSignature({ inputMetadata, outputMetadata }: OnnxSession): ModelSignature {
  return {
    inputs: inputMetadata.map((info) => tensorSpec(info, `input '${info.name}'`)),
    outputs: outputMetadata.map((info) => tensorSpec(info, `output '${info.name}'`)),
  };
}

function tensorSpec({ name, isTensor, type = 0, shape = [] }: OnnxValueInfo, title: string): TensorSpec {
  if (!isTensor)
    throw refusal(
      `${title} is not a tensor but a sequence, map or optional value`,
      "export the model with tensors only (from scikit-learn: convert_sklearn(…, options={'zipmap': False}))",
    );
  const datatype = onnxDatatype(type);
  if (datatype) return { name, datatype, shape };
  throw refusal(
    `${title} is ${onnxTypeName(type)}, which requests have no name for`,
    'add a Cast to FP32 inside the model',
  );
}
