import type { Datatype } from '../../../schemas/datatypes.js';
import { type PartituraError, invalidRequest } from '../../../schemas/errors.js';
import type { Tensor, TensorStatus } from '../../../schemas/generated.js';
import { RoundedNumber } from '../../../schemas/exact-number.js';
import { encodeDense, type Dense } from '../../json/dense.js';
import { isNumberArray, type NumberArray } from '../../json/number-array.js';
import { base64Bytes, isBase64Object } from './base64.js';
import { debugText, jsonType, tensorflowName } from './json-types.js';
import { datatypeOf } from './inputs.js';

/** Integers that each integer type holds. */
const RANGES: Partial<Record<Datatype, readonly [bigint, bigint]>> = {
  UINT8: [0n, 255n],
  INT8: [-128n, 127n],
  UINT16: [0n, 65_535n],
  INT16: [-32_768n, 32_767n],
  UINT32: [0n, 4_294_967_295n],
  INT32: [-2_147_483_648n, 2_147_483_647n],
  UINT64: [0n, 2n ** 64n - 1n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
};

/** Reads a JSON value as the tensor of an input. @throws PartituraError with TensorFlow Serving's texts */
export function readTensor(spec: TensorStatus, value: unknown): Tensor {
  const datatype = datatypeOf(spec);
  const dense = readDense(value);
  return { name: spec.name, datatype, shape: [...dense.shape], data: encode(dense, datatype) };
}

/** Encodes elements; only if that fails is the faulty element searched. */
export function encode(dense: Dense, datatype: Datatype): Buffer {
  if (!isNumberArray(dense.elements)) {
    const elements = dense.elements.map((element) => checked(element, datatype));
    return encodeDense({ ...dense, elements }, datatype, 'value');
  }
  if (datatype === 'BOOL') throw wrongType(dense.elements.values[0], datatype);
  try {
    return encodeDense(dense, datatype, 'value');
  } catch (error) {
    const { values, exact } = dense.elements;
    values.forEach((number, index) => checked(exact.get(index) ?? number, datatype));
    throw error;
  }
}

/** Returns an element in the form that the encoder takes. @throws PartituraError if its JSON type is another */
function checked(element: unknown, datatype: Datatype): unknown {
  if (datatype === 'BYTES') {
    if (isBase64Object(element)) return base64Bytes(element);
    if (typeof element === 'object' && element !== null)
      throw invalidRequest(`JSON Value: ${debugText(element)} not formatted correctly for base64 data`);
    if (typeof element === 'string') return element;
  } else if (datatype === 'BOOL') {
    if (typeof element === 'boolean') return element;
  } else if (isNumber(element)) {
    const range = RANGES[datatype];
    if (!range) return checkedFloat(element, datatype);
    const isWhole = typeof element === 'bigint' || Number.isInteger(element);
    if (isWhole && !(element instanceof RoundedNumber) && element >= range[0] && element <= range[1])
      return element;
  }
  throw wrongType(element, datatype);
}

type JsonNumber = number | bigint | RoundedNumber;

function isNumber(element: unknown): element is JsonNumber {
  return typeof element === 'number' || typeof element === 'bigint' || element instanceof RoundedNumber;
}

/** A finite number must not become infinite; TensorFlow Serving lets it. */
function checkedFloat(element: JsonNumber, datatype: Datatype): number {
  const number = Number(element);
  const stored = datatype === 'FP32' ? Math.fround(number) : number;
  if (Number.isFinite(stored) || !Number.isFinite(number)) return number;
  throw wrongType(element, datatype);
}

function wrongType(value: unknown, datatype: Datatype): PartituraError {
  return invalidRequest(
    `JSON Value: ${debugText(value)} Type: ${jsonType(value)} is not of expected type: ${tensorflowName(datatype)}`,
  );
}

/** Reads nested lists as a dense array; the first element of each list gives its shape. */
export function readDense(value: unknown): Dense {
  if (isNumberArray(value)) return { shape: value.shape, elements: value };
  const shape = shapeOf(value);
  const elements: unknown[] = [];
  fill(value, 0, shape, elements);
  return { shape, elements };
}

const MAX_RANK = 64;

function shapeOf(value: unknown): number[] {
  const shape: number[] = [];
  for (let inner = value; ; inner = inner[0] as unknown) {
    if (isNumberArray(inner)) return [...shape, ...inner.shape];
    if (!Array.isArray(inner)) return shape;
    if (shape.push(inner.length) > MAX_RANK) throw invalidRequest(`Nested deeper than ${MAX_RANK} levels`);
  }
}

function fill(value: unknown, level: number, shape: readonly number[], elements: unknown[]): void {
  if (isNumberArray(value)) return fillNumbers(value, level, shape, elements);
  if (!Array.isArray(value)) {
    requireLeaf(value, level, shape);
    elements.push(value);
    return;
  }
  requireList(value.length, level, shape);
  for (const inner of value as unknown[]) fill(inner, level + 1, shape, elements);
}

function fillNumbers(
  { shape: inner, values, exact }: NumberArray,
  level: number,
  shape: readonly number[],
  elements: unknown[],
): void {
  inner.forEach((size, depth) => requireList(size, level + depth, shape));
  if (values.length > 0) requireLeaf(values[0], level + inner.length, shape);
  for (let index = 0; index < values.length; index++) elements.push(exact.get(index) ?? values[index]);
}

function requireLeaf(value: unknown, level: number, shape: readonly number[]): void {
  if (level === shape.length) return;
  throw invalidRequest(
    `JSON Value: ${debugText(value)} found at incorrect level: ${level + 1} in the JSON DOM. Expected at level: ${shape.length}`,
  );
}

function requireList(size: number, level: number, shape: readonly number[]): void {
  if (level >= shape.length)
    throw invalidRequest(`Encountered list at unexpected level: ${level} expected < ${shape.length}`);
  if (size !== shape[level])
    throw invalidRequest(
      `Encountered list at unexpected size: ${size} at level: ${level} expected size: ${shape[level]}`,
    );
}
