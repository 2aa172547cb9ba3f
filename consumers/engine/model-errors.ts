import { PartituraError } from '../../schemas/errors.js';
import type { ModelSource } from './engine.js';

/** Prefixes a failure with the model's name and version. */
export function aboutModel({ model, version }: ModelSource, error: unknown): PartituraError {
  const { code, message, retryable } = PartituraError.from(error);
  return new PartituraError(code, `model '${model}' version ${version}: ${message}`, {
    cause: error,
    retryable,
  });
}

/** Messages of TensorFlow, TensorFlow.js and ONNX Runtime about an operation that this build does not support. */
const UNSUPPORTED_OPERATION =
  /No OpKernel was registered|Op type not registered|Kernel '[^']*' not registered|Unknown op '|only supports? the NHWC|Could not find an implementation|is not a registered function\/op|NOT_IMPLEMENTED/i;

/** True if the runtime lacks an operation, so that every request would fail, whatever its values. */
export function lacksOperation({ message }: Error): boolean {
  return UNSUPPORTED_OPERATION.test(message);
}
