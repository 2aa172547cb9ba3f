import { ELEMENT_ARRAYS, type ElementArray } from '../schemas/element-arrays.js';
import { elementCount, formatShape, isDatatype, type Datatype } from '../schemas/datatypes.js';
import { PartituraError, invalidRequest } from '../schemas/errors.js';
import type { Tensor } from '../schemas/generated.js';
import { areTexts, decodeElements, encodeElements, splitBytes, type Element } from '../schemas/tensor.js';

/** Elements in nested lists; the nesting defines the shape. Buffers are BYTES that need not be text. */
export type NestedList = readonly (Element | Buffer | NestedList)[];

/**
 * An input as passed by callers: a typed array with its shape, or nested lists, whose data type is inferred (number →
 * FP32, bigint → INT64, boolean → BOOL, string or Buffer → BYTES) unless it is given.
 */
export type InputTensor =
  | {
      readonly data: ElementArray | readonly (Element | Buffer)[];
      readonly shape: readonly number[];
      readonly datatype?: Datatype;
    }
  | { readonly data: NestedList; readonly datatype?: Datatype }
  | NestedList;

/**
 * An output: a typed array, or a list for BOOL and BYTES. BYTES are returned as strings if all elements are UTF-8,
 * and otherwise all as Buffers. FP16 is returned as raw bits.
 */
export interface OutputTensor {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: ElementArray | readonly boolean[] | readonly string[] | readonly Buffer[];
}

const ARRAY_DATATYPES: readonly (readonly [abstract new (...args: never[]) => ElementArray, Datatype])[] = [
  [Float32Array, 'FP32'],
  [Float64Array, 'FP64'],
  [Int8Array, 'INT8'],
  [Uint8Array, 'UINT8'],
  [Int16Array, 'INT16'],
  [Uint16Array, 'UINT16'],
  [Int32Array, 'INT32'],
  [Uint32Array, 'UINT32'],
  [BigInt64Array, 'INT64'],
  [BigUint64Array, 'UINT64'],
];

/** @throws PartituraError SHAPE_MISMATCH or DATATYPE_MISMATCH that names the input */
export function toTensor(name: string, input: InputTensor): Tensor {
  const given = isList(input) ? { data: input } : input;
  const { data } = given;
  const shape = 'shape' in given ? [...given.shape] : shapeOf(data as NestedList, name);
  if (ArrayBuffer.isView(data)) {
    const own = datatypeOfArray(data, name);
    const datatype = given.datatype ?? own;
    checkCount(name, shape, data.length);
    if (datatype !== own && !isRawAs(own, datatype)) {
      const elements = Array.from<number | bigint>(data);
      return { name, datatype, shape, data: encodeElements(datatype, elements, `input '${name}'`) };
    }
    return { name, datatype, shape, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength) };
  }
  const elements = (data as unknown[]).flat(Infinity) as (Element | Buffer)[];
  checkCount(name, shape, elements.length);
  const datatype = given.datatype ?? datatypeOfElement(elements[0], name);
  return { name, datatype, shape, data: encodeElements(datatype, elements, `input '${name}'`) };
}

/** Returns true for types whose elements are passed as those of another: FP16 as bits, BOOL as bytes. */
function isRawAs(array: Datatype, datatype: Datatype): boolean {
  return (array === 'UINT16' && datatype === 'FP16') || (array === 'UINT8' && datatype === 'BOOL');
}

function isList(input: InputTensor): input is NestedList {
  return Array.isArray(input);
}

function shapeOf(list: NestedList, name: string): number[] {
  const shape: number[] = [];
  for (let level: unknown = list; Array.isArray(level); level = level[0] as unknown) shape.push(level.length);
  if (shape.length === 0) {
    throw invalidRequest(`input '${name}': expected lists, or data with a shape`);
  }
  if (isRectangular(list, shape)) return shape;
  throw new PartituraError('SHAPE_MISMATCH', `input '${name}': expected lists of equal length at each level`);
}

function isRectangular(level: unknown, [length, ...inner]: readonly number[]): boolean {
  if (!Array.isArray(level)) return length === undefined;
  return level.length === length && level.every((entry) => isRectangular(entry, inner));
}

function checkCount(name: string, shape: readonly number[], found: number): void {
  const expected = elementCount(shape);
  if (found === expected) return;
  throw new PartituraError(
    'SHAPE_MISMATCH',
    `input '${name}': expected ${expected} elements for shape ${formatShape(shape)}, got ${found}`,
  );
}

function datatypeOfArray(data: ElementArray, name: string): Datatype {
  const known = ARRAY_DATATYPES.find(([type]) => data instanceof type);
  if (known) return known[1];
  throw new PartituraError('DATATYPE_MISMATCH', `input '${name}': expected a typed array of numbers`);
}

function datatypeOfElement(element: Element | Buffer | undefined, name: string): Datatype {
  if (typeof element === 'number') return 'FP32';
  if (typeof element === 'bigint') return 'INT64';
  if (typeof element === 'boolean') return 'BOOL';
  if (typeof element === 'string' || Buffer.isBuffer(element)) return 'BYTES';
  throw new PartituraError(
    'DATATYPE_MISMATCH',
    `input '${name}': expected numbers, bigints, booleans or strings, got ${String(element)}`,
  );
}

/**
 * Converts a tensor, the inverse of `toTensor`; the data is copied, so that it does not keep a whole fetch in memory.
 */
export function fromTensor({ datatype, shape, data }: Tensor): OutputTensor {
  if (!isDatatype(datatype))
    throw new PartituraError('DATATYPE_MISMATCH', `output: unknown datatype '${datatype}'`);
  if (datatype === 'BYTES') return { datatype, shape, data: textsOrBytes(splitBytes(data)) };
  if (datatype === 'BOOL') return { datatype, shape, data: decodeElements(datatype, data) as boolean[] };
  const buffer = new ArrayBuffer(data.length);
  new Uint8Array(buffer).set(data);
  return { datatype, shape, data: new ELEMENT_ARRAYS[datatype](buffer) };
}

function textsOrBytes(elements: readonly Buffer[]): string[] | Buffer[] {
  return areTexts(elements)
    ? elements.map((element) => element.toString('utf8'))
    : elements.map((element) => Buffer.from(element));
}
