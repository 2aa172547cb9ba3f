import type { TensorView } from '../../api/views.js';

/** An element of a tensor in JSON. */
export type Element = number | boolean | string;
export type Nested = Element | readonly Nested[];

/** Data of one input as it is sent: row-major elements. */
export interface InputData {
  readonly shape: readonly number[];
  readonly data: readonly Element[];
}

/** Sizes that examples give to open dimensions after the first, of images and of anything else. */
const IMAGE: readonly number[] = [1, 32, 32, 3];
const OPEN_SIZE = 4;

/** Chooses a size for each open dimension: one row, small sizes for the rest. */
export function exampleShape({ shape }: TensorView): number[] {
  const usual = shape.length === 4 ? IMAGE : [1];
  return shape.map((size, index) => (size >= 0 ? size : (usual[index] ?? OPEN_SIZE)));
}

/** Returns a valid value for each element of a shape. */
export function exampleData(tensor: TensorView): InputData {
  const shape = exampleShape(tensor);
  const data = Array.from({ length: countOf(shape) }, (_, index) => exampleElement(tensor.datatype, index));
  return { shape, data };
}

function exampleElement(datatype: string, index: number): Element {
  if (datatype === 'BOOL') return index % 2 === 0;
  if (datatype === 'BYTES') return 'text';
  return /^(FP|BF)/.test(datatype) ? ((index % 10) + 1) / 10 : (index % 4) + 1;
}

export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Nests row-major elements by shape. */
export function nest({ shape, data }: InputData): Nested {
  if (shape.length === 0) return data[0] ?? 0;
  const [size = 0, ...rest] = shape;
  if (rest.length === 0) return data;
  const step = countOf(rest);
  return Array.from({ length: size }, (_, index) =>
    nest({ shape: rest, data: data.slice(index * step, (index + 1) * step) }),
  );
}

/** Writes nested arrays with one line per innermost row, as people read them. */
export function writeNested(value: Nested, indent = ''): string {
  if (!Array.isArray(value)) return JSON.stringify(value);
  const items = value as readonly Nested[];
  if (!items.some(Array.isArray)) return `[${items.map((item) => JSON.stringify(item)).join(', ')}]`;
  const inner = items.map((item) => `${indent}  ${writeNested(item, `${indent}  `)}`);
  return `[\n${inner.join(',\n')}\n${indent}]`;
}

/**
 * Reads the JSON of an input: nested arrays of any depth that fits, or a flat array.
 * @throws Error that names the input, the expected shape and the actual one
 */
export function parseInput(tensor: TensorView, text: string): InputData {
  let value: Nested;
  try {
    value = JSON.parse(text) as Nested;
  } catch (error) {
    throw new Error(`input '${tensor.name}': expected JSON: ${(error as Error).message}`, { cause: error });
  }
  return toInput(tensor, value);
}

/** Checks a parsed value against a tensor. @throws Error that names the input */
export function toInput(tensor: TensorView, value: Nested): InputData {
  const given = shapeOf(value, tensor.name);
  const data = flatten(value);
  const shape = given.length === 1 && tensor.shape.length !== 1 ? fitFlat(tensor, data.length) : given;
  const fits =
    shape.length === tensor.shape.length &&
    tensor.shape.every((size, index) => size < 0 || size === shape[index]);
  if (!fits) throw mismatch(tensor, given);
  return { shape, data };
}

function shapeOf(value: Nested, name: string): number[] {
  if (!Array.isArray(value)) return [];
  const items = value as readonly Nested[];
  const inner = items.map((item) => shapeOf(item, name).join());
  if (inner.some((shape) => shape !== inner[0]))
    throw new Error(`input '${name}': expected rows of equal length, got rows that differ`);
  return [items.length, ...(items.length > 0 ? shapeOf(items[0] as Nested, name) : [])];
}

function flatten(value: Nested): Element[] {
  return Array.isArray(value) ? (value as readonly Nested[]).flatMap(flatten) : [value as Element];
}

/** Gives a flat array the declared shape; at most one open dimension follows from the length. */
function fitFlat(tensor: TensorView, length: number): number[] {
  const open = tensor.shape.flatMap((size, index) => (size < 0 ? [index] : []));
  const known = countOf(tensor.shape.filter((size) => size >= 0));
  const [first] = open;
  if (first === undefined) return length === known ? [...tensor.shape] : [length];
  const rows = length / known;
  if (!Number.isInteger(rows) || open.length > 1) throw mismatch(tensor, [length]);
  return tensor.shape.map((size, index) => (index === first ? rows : size));
}

function mismatch({ name, shape }: TensorView, got: readonly number[]): Error {
  return new Error(`input '${name}': expected shape [${shape.join(',')}], got [${got.join(',')}]`);
}
