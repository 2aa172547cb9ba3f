import { elementCount, formatShape, type Datatype } from '../../schemas/datatypes.js';
import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import { encodeElements } from '../../schemas/tensor.js';
import { isNumberArray, type NumberArray } from './number-array.js';

/** Nesting beyond that of any tensor. */
const MAX_DEPTH = 64;

/** A JSON value as a dense array: elements in row-major order. */
export interface Dense {
  /** Empty for a scalar. */
  readonly shape: readonly number[];
  readonly elements: readonly unknown[] | NumberArray;
}

function notRectangular(field: string, expected: string, got: string): PartituraError {
  return new PartituraError('SHAPE_MISMATCH', `${field}: expected ${expected}, got ${got}`);
}

/**
 * Reads nested lists, or a scalar, as a dense array.
 * @throws PartituraError SHAPE_MISMATCH if lists of one level differ in length, or mix lists and elements
 */
export function toDense(value: unknown, field: string): Dense {
  if (isNumberArray(value)) return { shape: value.shape, elements: value };
  const shape = shapeOf(value);
  const elements: unknown[] = [];
  collect(value, { shape, elements, field }, 0);
  return { shape, elements };
}

function shapeOf(value: unknown): number[] {
  const shape: number[] = [];
  for (let inner = value; Array.isArray(inner) || isNumberArray(inner); inner = (inner as unknown[])[0]) {
    if (isNumberArray(inner)) return [...shape, ...inner.shape];
    shape.push(inner.length);
    if (shape.length > MAX_DEPTH)
      throw invalidRequest(`expected lists nested at most ${MAX_DEPTH} deep, got more`);
  }
  return shape;
}

interface Collecting {
  readonly shape: readonly number[];
  readonly elements: unknown[];
  readonly field: string;
}

function collect(value: unknown, into: Collecting, level: number): void {
  const { shape, elements, field } = into;
  if (isNumberArray(value)) {
    const expected = shape.slice(level);
    if (formatShape(expected) !== formatShape(value.shape))
      throw notRectangular(field, `lists of shape ${formatShape(expected)}`, formatShape(value.shape));
    value.values.forEach((number, index) => elements.push(value.exact.get(index) ?? number));
  } else if (Array.isArray(value)) {
    if (level >= shape.length) throw notRectangular(field, 'an element', 'a list');
    if (value.length !== shape[level])
      throw notRectangular(field, `lists of ${shape[level]} elements at level ${level}`, `${value.length}`);
    for (const inner of value as unknown[]) collect(inner, into, level + 1);
  } else if (level < shape.length) throw notRectangular(field, `lists at level ${level}`, 'an element');
  else elements.push(value);
}

/**
 * Encodes dense elements as tensor bytes.
 * @throws PartituraError DATATYPE_MISMATCH that names the first element of another type or out of range
 */
export function encodeDense({ elements }: Dense, datatype: Datatype, field: string): Buffer {
  if (!isNumberArray(elements)) return encodeElements(datatype, elements, field);
  return encodeNumbers(elements, datatype) ?? encodeElements(datatype, plainNumbers(elements), field);
}

/** Returns undefined where an element does not fit, so that the general encoder names it. */
function encodeNumbers({ values, exact }: NumberArray, datatype: Datatype): Buffer | undefined {
  const kind = INTEGERS[datatype];
  if (kind && exact.size === 0) return encodeIntegers(values, kind);
  if (datatype === 'FP64') return bytesOf(new Float64Array(values));
  return datatype === 'FP32' ? encodeFloats(values) : undefined;
}

type IntegerArray = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;

/** Typed arrays of the data types whose integers all fit a double. Assumes a little-endian machine. */
const INTEGERS: Partial<Record<Datatype, (values: Float64Array) => IntegerArray>> = {
  UINT8: (values) => new Uint8Array(values),
  INT8: (values) => new Int8Array(values),
  UINT16: (values) => new Uint16Array(values),
  INT16: (values) => new Int16Array(values),
  UINT32: (values) => new Uint32Array(values),
  INT32: (values) => new Int32Array(values),
};

function encodeIntegers(
  values: Float64Array,
  convert: (values: Float64Array) => IntegerArray,
): Buffer | undefined {
  const converted = convert(values);
  for (let index = 0; index < values.length; index++)
    if (converted[index] !== values[index]) return undefined;
  return bytesOf(converted);
}

function encodeFloats(values: Float64Array): Buffer | undefined {
  const converted = new Float32Array(values);
  for (let index = 0; index < values.length; index++) {
    const float = converted[index];
    if ((float === Infinity || float === -Infinity) && float !== values[index]) return undefined;
  }
  return bytesOf(converted);
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

function plainNumbers({ values, exact }: NumberArray): unknown[] {
  return Array.from(values, (number, index) => exact.get(index) ?? number);
}

/** Checks the number of elements against a shape. @throws PartituraError SHAPE_MISMATCH */
export function checkCount(count: number, shape: readonly number[], field: string): void {
  const expected = elementCount(shape);
  if (count === expected) return;
  throw new PartituraError(
    'SHAPE_MISMATCH',
    `${field}: expected ${expected} elements for shape ${formatShape(shape)}, got ${count}`,
  );
}
