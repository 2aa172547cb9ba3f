import type { Feature } from '../../core/bindings/definition.js';
import { formatShape, type Datatype } from '../../schemas/datatypes.js';
import { PartituraError } from '../../schemas/errors.js';
import { encodeElements } from '../../schemas/tensor.js';
import type { Tensor } from '../../schemas/generated.js';
import type { TensorSpec } from '../engine/engine.js';

const UNKNOWN = -1;

/** A record of a stranger's, as decoded: JSON, or Avro with unions as avsc wraps them. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * The tensor of one row that these features make for an input of the model.
 * @throws PartituraError that names the field, or the input when there are too few or too many values
 */
export function tensorOf(spec: TensorSpec, features: readonly Feature[], fields: Fields): Tensor {
  const elements = features.flatMap((feature) => elementsOf(feature, fields, spec.datatype));
  const shape = rowShape(spec, elements.length);
  return {
    name: spec.name,
    datatype: spec.datatype,
    shape,
    data: encodeElements(spec.datatype, elements, where(spec, features)),
  };
}

/** For errors about an element: its field where there is but one. */
function where({ name }: TensorSpec, features: readonly Feature[]): string {
  const [only] = features;
  return features.length === 1 && only ? `field '${only.field}' for input '${name}'` : `input '${name}'`;
}

/** The shape of one row; a dimension that the model leaves open is what is left for it. */
function rowShape({ name, shape }: TensorSpec, count: number): number[] {
  const row = shape[0] === UNKNOWN ? [1, ...shape.slice(1)] : [...shape];
  const open = row.indexOf(UNKNOWN);
  const known = row
    .filter((dimension) => dimension !== UNKNOWN)
    .reduce((product, dimension) => product * dimension, 1);
  if (open >= 0 && row.lastIndexOf(UNKNOWN) === open && count > 0 && count % known === 0)
    row[open] = count / known;
  else if (open >= 0 || count !== known)
    throw new PartituraError(
      'SHAPE_MISMATCH',
      `input '${name}': expected ${open >= 0 ? `values for ${formatShape(shape)}` : `${known} values`}, got ${count}`,
    );
  return row;
}

function elementsOf(feature: Feature, fields: Fields, datatype: Datatype): unknown[] {
  const value = valueAt(fields, feature.field) ?? feature.default ?? null;
  if (value === null) throw wrong(feature, 'a value', 'nothing');
  const values = flatten(value, datatype);
  if (feature.length !== undefined && values.length !== feature.length)
    throw wrong(feature, `${feature.length} elements`, String(values.length));
  if (feature.oneHot) return values.flatMap((one) => oneHot(feature, feature.oneHot ?? [], one));
  if (feature.lookup) return values.map((one) => lookUp(feature, feature.lookup ?? {}, one));
  return datatype === 'BYTES' ? values : values.map((one) => scaled(feature, one));
}

/** The value at a path of fields; undefined when there is none. */
function valueAt(fields: Fields, path: string): unknown {
  let value: unknown = fields;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = unwrapped((value as Fields)[name]);
  }
  return value;
}

/** avsc puts the value of a union into an object that says which branch it is of. */
function unwrapped(value: unknown): unknown {
  const { unwrap } = (value ?? {}) as { unwrap?: unknown };
  return typeof unwrap === 'function' ? (value as { unwrap(): unknown }).unwrap() : value;
}

/** The elements of lists within lists, row by row; bytes are numbers unless the model takes them as they are. */
function flatten(value: unknown, datatype: Datatype): unknown[] {
  if (value instanceof Uint8Array) return datatype === 'BYTES' ? [value] : [...value];
  if (!Array.isArray(value)) return [value];
  return value.flatMap((element) => flatten(unwrapped(element), datatype));
}

function oneHot(feature: Feature, choices: readonly unknown[], value: unknown): number[] {
  const index = choices.indexOf(typeof value === 'bigint' ? Number(value) : value);
  if (index < 0 && feature.otherwise === undefined)
    throw wrong(feature, `one of ${choices.join(', ')}`, text(value));
  return choices.map((_, place) => (place === index ? 1 : 0));
}

function lookUp(feature: Feature, table: Readonly<Record<string, number>>, value: unknown): number {
  const name = text(value);
  if (Object.hasOwn(table, name)) return table[name] ?? 0;
  if (typeof feature.otherwise === 'number') return feature.otherwise;
  throw wrong(feature, `one of ${Object.keys(table).join(', ')}`, name);
}

function scaled(feature: Feature, value: unknown): number | bigint {
  const { subtract, divide } = feature;
  const isPlain = subtract === 0 && divide === 1;
  if (typeof value === 'boolean') return (Number(value) - subtract) / divide;
  if (typeof value === 'bigint') return isPlain ? value : (Number(value) - subtract) / divide;
  if (typeof value !== 'number') throw wrong(feature, 'a number', text(value));
  return isPlain ? value : (value - subtract) / divide;
}

function text(value: unknown): string {
  return typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'bigint' ||
    typeof value === 'boolean'
    ? String(value)
    : `what is no single value`;
}

function wrong({ field }: Feature, expected: string, got: string): PartituraError {
  return new PartituraError('INVALID_REQUEST', `field '${field}': expected ${expected}, got ${got}`);
}
