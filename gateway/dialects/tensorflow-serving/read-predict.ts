import { invalidRequest } from '../../../schemas/errors.js';
import type { SignatureStatus, Tensor, TensorStatus } from '../../../schemas/generated.js';
import { isNumberArray, type NumberArray } from '../../json/number-array.js';
import { readTensor } from './read-tensor.js';
import { debugText } from './json-types.js';
import { isBase64Object } from './base64.js';
import { onlyInput } from './inputs.js';
import { joinRows } from './instances.js';

/** Row format answers under `predictions`, columnar format under `outputs`. */
export type PredictFormat = 'row' | 'columnar';

export interface PredictRequest {
  readonly inputs: readonly Tensor[];
  readonly format: PredictFormat;
}

/** Returns the body as an object. @throws PartituraError INVALID_REQUEST */
export function requireObject(body: unknown): Record<string, unknown> {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body) && !isNumberArray(body);
  if (isObject) return body as Record<string, unknown>;
  throw invalidRequest(`JSON Value: ${debugText(body)} Is not object`);
}

/** Reads `signature_name`; undefined if there is none. @throws PartituraError INVALID_REQUEST */
export function readSignatureName(body: Record<string, unknown>): string | undefined {
  const name = body['signature_name'];
  if (name === undefined || typeof name === 'string') return name === '' ? undefined : name;
  throw invalidRequest(
    `JSON Value: ${debugText(body)} not formatted correctly. 'signature_name' key must be a string value.`,
  );
}

/** Reads the tensors of a predict request. @throws PartituraError with TensorFlow Serving's texts */
export function readPredict(body: Record<string, unknown>, signature: SignatureStatus): PredictRequest {
  const { instances, inputs } = body;
  if (instances !== undefined && inputs !== undefined)
    throw invalidRequest(
      `JSON Value: ${debugText(body)} Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist `,
    );
  if (instances !== undefined) return { inputs: readInstances(body, signature.inputs), format: 'row' };
  if (inputs !== undefined) return { inputs: readColumns(inputs, signature.inputs), format: 'columnar' };
  throw invalidRequest("Missing 'inputs' or 'instances' key");
}

function readInstances(body: Record<string, unknown>, specs: readonly TensorStatus[]): Tensor[] {
  const { instances } = body;
  if (isNumberArray(instances)) return [readPlainNumbers(body, instances, specs)];
  if (!Array.isArray(instances))
    throw invalidRequest(`JSON Value: ${debugText(body)} Expecting 'instances' to be an list/array`);
  if (instances.length === 0)
    throw invalidRequest(`JSON Value: ${debugText(body)} No values in 'instances' array`);
  return joinRows(instances as unknown[], specs);
}

function readPlainNumbers(
  body: Record<string, unknown>,
  instances: NumberArray,
  specs: readonly TensorStatus[],
): Tensor {
  if (instances.shape[0] === 0)
    throw invalidRequest(`JSON Value: ${debugText(body)} No values in 'instances' array`);
  return readTensor(onlyInput(specs, 'instances is a plain list, but expecting list of objects'), instances);
}

function readColumns(inputs: unknown, specs: readonly TensorStatus[]): Tensor[] {
  const isNamed =
    typeof inputs === 'object' &&
    inputs !== null &&
    !Array.isArray(inputs) &&
    !isNumberArray(inputs) &&
    !isBase64Object(inputs);
  if (!isNamed)
    return [readTensor(onlyInput(specs, 'inputs is a plain value/list, but expecting an object'), inputs)];
  const columns = inputs as Record<string, unknown>;
  return specs.map((spec) => {
    if (!Object.hasOwn(columns, spec.name))
      throw invalidRequest(`Missing named input: ${spec.name} in 'inputs' object.`);
    return readTensor(spec, columns[spec.name]);
  });
}
