import { invalidRequest } from './errors.js';

/** Form of a model's name, which is part of topic names: letters, digits, `_` and `-`, at most 100. */
export const MODEL_NAME = /^[A-Za-z0-9_-]{1,100}$/;

/** Returns true for a valid model name. */
export function isModelName(name: string): boolean {
  return MODEL_NAME.test(name);
}

/** @throws PartituraError INVALID_REQUEST for an invalid model name */
export function checkModelName(model: string): string {
  if (isModelName(model)) return model;
  throw invalidRequest(`model: expected letters, digits, _ and -, got '${model}'`);
}
