import { PartituraError } from './errors.js';

/** Returns true for a valid model name, which is part of topic names: letters, digits, `_` and `-`, at most 100. */
export function isModelName(name: string): boolean {
  return /^[A-Za-z0-9_-]{1,100}$/.test(name);
}

/** @throws PartituraError INVALID_REQUEST for an invalid model name */
export function checkModelName(model: string): string {
  if (isModelName(model)) return model;
  throw new PartituraError('INVALID_REQUEST', `model: expected letters, digits, _ and -, got '${model}'`);
}
