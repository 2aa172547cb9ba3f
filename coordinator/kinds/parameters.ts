import { z } from 'zod';
import { elementCount } from '../../schemas/datatypes.js';
import { invalidRequest } from '../../schemas/errors.js';
import type { Tensor } from '../../schemas/generated.js';
import { inlineArray, type ArrayInput } from '../files/array-input.js';
import { openNpy } from '../files/npy.js';
import type { JobOrder } from './kind.js';

/** Building blocks of parameters; all parameters of a request are text. */
export const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
export const count = z.coerce.number({ error: 'expected a number' }).int().min(1);
export const file = z.string().min(1);
/** Parts of one job; each has its place in the job's status. */
export const MAX_PARTS = 1_000_000;
/** Bytes of an array that a job holds whole. */
const MAX_HELD_BYTES = 256 * 1024 * 1024;

/** @throws PartituraError INVALID_REQUEST for an array that is too large to be held whole */
export function requireHoldable(name: string, shape: readonly number[]): void {
  const bytes = elementCount(shape) * Float64Array.BYTES_PER_ELEMENT;
  if (bytes <= MAX_HELD_BYTES) return;
  throw invalidRequest(`${name}: expected at most ${MAX_HELD_BYTES} bytes, got ${bytes}`);
}

/** Parameters of every kind, which the coordinator itself reads. */
export const COMMON = {
  /** File for the result instead of the reply topic. */
  output: file.optional(),
  /** `bulk`, which goes into idle capacity, or 0 to 9, higher first. */
  priority: z
    .string()
    .regex(/^([0-9]|bulk)$/, "expected 0 to 9 or 'bulk'")
    .default('bulk'),
};

/**
 * Opens an array: the file that a parameter names, or the input of that name.
 * @throws PartituraError INVALID_REQUEST if there is neither
 */
export async function openArray(
  name: string,
  path: string | undefined,
  { request, files }: JobOrder,
): Promise<ArrayInput> {
  if (path !== undefined) return openNpy(await files.input(path), `parameters.${name}: '${path}'`);
  return inlineArray(inputNamed(name, request.inputs));
}

function inputNamed(name: string, inputs: readonly Tensor[]): Tensor {
  const found = inputs.find((input) => input.name === name);
  if (found) return found;
  const got = inputs.map((input) => `'${input.name}'`).join(', ') || 'none';
  throw invalidRequest(`inputs: expected '${name}', or parameters.${name} with a .npy file; got ${got}`);
}
