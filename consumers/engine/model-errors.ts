import { PartituraError } from '../../schemas/errors.js';
import type { ModelSource } from './engine.js';

/** The same failure with the model's name before it. */
export function aboutModel({ model, version }: ModelSource, error: unknown): PartituraError {
  const { code, message, retryable } = PartituraError.from(error);
  return new PartituraError(code, `model '${model}' version ${version}: ${message}`, {
    cause: error,
    retryable,
  });
}

/** Words of TensorFlow, TensorFlow.js and ONNX Runtime for an operation that this build of the runtime does not have. */
const LACKING =
  /No OpKernel was registered|Op type not registered|Kernel '[^']*' not registered|Unknown op '|only supports? the NHWC|Could not find an implementation|is not a registered function\/op|NOT_IMPLEMENTED/i;

/** Tells a failure that every request would meet from one of the values that were tried. */
export function lacksOperation({ message }: Error): boolean {
  return LACKING.test(message);
}
