import { ELEMENT_BYTES, elementCount, formatShape } from '../../schemas/datatypes.js';
import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import type { InferenceRequest, Tensor } from '../../schemas/generated.js';
import { elementEnd } from '../../schemas/tensor.js';
import type { ModelSignature, TensorSpec } from '../engine/engine.js';
import type { RowTensor } from '../batching/rows.js';

/** A request that matches the model's signature. */
export interface ValidRequest {
  /** Inputs in signature order. */
  readonly inputs: readonly RowTensor[];
  readonly rows: number;
  /** Key of the lane; equal for requests that may share a batch. */
  readonly laneKey: string;
  /** True if inputs differ in rows: the model may broadcast one, so the request is neither merged nor split. */
  readonly mustBeAlone: boolean;
}

const UNKNOWN = -1;

const MAX_EMPTY_EXTENT = 2 ** 20;

/** Lane prefix of empty requests, which must not share a batch with others because the model may reject them. */
const NO_ROWS = 'empty;';

/**
 * Validates a request against the signature before it joins a batch, since an invalid shape would fail the whole batch and
 * leak native memory. Dimensions that the signature leaves open are checked by the runtime.
 * @throws PartituraError INVALID_REQUEST, DATATYPE_MISMATCH or SHAPE_MISMATCH, naming the tensor
 */
export function validateRequest(request: InferenceRequest, signature: ModelSignature): ValidRequest {
  requireKnownNames(request, signature);
  const inputs = signature.inputs.map((spec) => validateInput(spec, find(request.inputs, spec)));
  const rows = inputs[0]?.shape[0] ?? 1;
  return {
    inputs,
    rows,
    laneKey: (rows === 0 ? NO_ROWS : '') + laneKey(inputs, signature),
    mustBeAlone: inputs.some(({ shape }) => shape[0] !== rows),
  };
}

/** Builds the lane key from the open dimensions, except rows; all others are fixed by the signature. */
function laneKey(inputs: readonly RowTensor[], signature: ModelSignature): string {
  let key = '';
  inputs.forEach(({ shape }, input) => {
    const expected = signature.inputs[input]?.shape ?? [];
    for (let index = 1; index < shape.length; index++) {
      if (expected[index] === UNKNOWN) key += `${input}.${index}=${shape[index]};`;
    }
  });
  return key;
}

function requireKnownNames({ inputs, outputs }: InferenceRequest, signature: ModelSignature): void {
  inputs.forEach(({ name }, index) => {
    if (!signature.inputs.some((spec) => spec.name === name))
      throw unknownName('input', name, signature.inputs);
    if (inputs.findIndex((input) => input.name === name) < index)
      throw invalidRequest(`input '${name}': expected once, got twice`);
  });
  for (const name of outputs) {
    if (!signature.outputs.some((spec) => spec.name === name))
      throw unknownName('output', name, signature.outputs);
  }
}

function unknownName(kind: string, name: string, specs: readonly TensorSpec[]): PartituraError {
  const known = specs.map((spec) => `'${spec.name}'`).join(', ');
  return invalidRequest(`${kind} '${name}': expected one of ${known}`);
}

function find(inputs: readonly Tensor[], spec: TensorSpec): Tensor {
  const tensor = inputs.find(({ name }) => name === spec.name);
  if (tensor) return tensor;
  const expected = `${spec.datatype} ${formatShape(spec.shape)}`;
  throw invalidRequest(`input '${spec.name}': expected ${expected}, got nothing`);
}

function validateInput(spec: TensorSpec, { name, datatype, shape, data }: Tensor): RowTensor {
  if (datatype !== spec.datatype) {
    throw new PartituraError(
      'DATATYPE_MISMATCH',
      `input '${name}': expected ${spec.datatype}, got ${datatype}`,
    );
  }
  if (!fits(shape, spec.shape)) {
    const expected = `expected shape ${formatShape(spec.shape)}, got ${formatShape(shape)}`;
    throw new PartituraError('SHAPE_MISMATCH', `input '${name}': ${expected}`);
  }
  checkSize(spec, shape, data);
  return { name, datatype: spec.datatype, shape, data };
}

/**
 * True if a shape matches the signature. An empty declared shape may be a scalar or undeclared, so the runtime checks it.
 */
function fits(shape: readonly number[], expected: readonly number[]): boolean {
  if (!shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0)) return false;
  if (expected.length === 0) return true;
  if (shape.length !== expected.length) return false;
  for (let index = 0; index < shape.length; index++) {
    const wanted = expected[index];
    if (wanted !== UNKNOWN && wanted !== shape[index]) return false;
  }
  return true;
}

function checkSize({ name, datatype }: TensorSpec, shape: readonly number[], data: Buffer): void {
  const elements = elementCount(shape);
  if (elements === 0) requireBoundedDimensions(name, shape);
  const elementBytes = ELEMENT_BYTES[datatype];
  const expected = elementBytes === undefined ? `${elements} elements` : `${elements * elementBytes} bytes`;
  const found = elementBytes === undefined ? countElements(data, elements) : data.length / elementBytes;
  if (found === elements) return;
  const got = elementBytes === undefined ? `${found} elements` : `${data.length}`;
  throw new PartituraError(
    'SHAPE_MISMATCH',
    `input '${name}': expected ${expected} for shape ${formatShape(shape)}, got ${got}`,
  );
}

/** Bounds the dimensions of a tensor without elements, which, unlike others, are not bounded by its bytes. */
function requireBoundedDimensions(name: string, shape: readonly number[]): void {
  if (elementCount(shape.filter((dimension) => dimension > 0)) <= MAX_EMPTY_EXTENT) return;
  const expected = `expected non-zero dimensions with a product of at most ${MAX_EMPTY_EXTENT}`;
  throw new PartituraError('SHAPE_MISMATCH', `input '${name}': ${expected}, got ${formatShape(shape)}`);
}

/** Counts BYTES elements, stopping one past `limit`. */
function countElements(data: Buffer, limit: number): number {
  let count = 0;
  for (let position = 0; position < data.length && count <= limit; count++)
    position = elementEnd(data, position);
  return count;
}
