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
