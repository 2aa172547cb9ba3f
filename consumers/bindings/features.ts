import type { Feature } from '../../cluster/bindings/definition.js';
import { formatShape, type Datatype } from '../../schemas/datatypes.js';
import { describe } from '../../schemas/describe.js';
import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import { encodeElements } from '../../schemas/tensor.js';
import type { Tensor } from '../../schemas/generated.js';
import type { TensorSpec } from '../engine/engine.js';
import type { SourceFields } from './format.js';

const UNKNOWN = -1;
/** Maximum nesting of lists, above the dimensions of any tensor. */
const MAX_DEPTH = 64;

/** A decoded source record: JSON, or Avro with unions as avsc wraps them. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * Builds the tensor of one row for an input of the model.
 * @throws PartituraError that names the field, or the input if there are too few or too many values
 */
export function tensorOf(spec: TensorSpec, features: readonly Feature[], source: SourceFields): Tensor {
  const elements = features.flatMap((feature) => elementsOf(feature, source, spec.datatype));
  const shape = rowShape(spec, elements.length);
  return {
    name: spec.name,
    datatype: spec.datatype,
    shape,
    data: encodeElements(spec.datatype, elements, where(spec, features), source),
  };
}

/** Names the element in errors: its field if there is only one. */
function where({ name }: TensorSpec, features: readonly Feature[]): string {
  const [only] = features;
  return features.length === 1 && only ? `field '${only.field}' for input '${name}'` : `input '${name}'`;
}

/** Returns the shape of one row; an open dimension gets what remains. */
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

function elementsOf(feature: Feature, { fields, spell }: SourceFields, datatype: Datatype): unknown[] {
  const value = valueAt(fields, feature.field, spell) ?? feature.default ?? null;
  if (value === null) throw wrong(feature, 'a value', 'nothing');
  const values = flatten(feature, value, datatype);
  if (feature.length !== undefined && values.length !== feature.length)
    throw wrong(feature, `${feature.length} elements`, String(values.length));
  if (feature.oneHot) return values.flatMap((one) => oneHot(feature, feature.oneHot ?? [], one));
  if (feature.lookup) return values.map((one) => lookUp(feature, feature.lookup ?? {}, one));
  return datatype === 'BYTES' ? values : values.map((one) => scaled(feature, one));
}

/**
 * Returns the value at a path of fields; undefined if there is none. Names may contain dots, as Kafka Connect's Flatten
 * writes them: the longest existing name counts.
 */
function valueAt(value: unknown, path: string, spell?: (name: string) => string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
    const name = ownName(value, path.slice(0, end), spell);
    if (name === undefined) continue;
    const whole = unwrapped((value as Fields)[name]);
    const found = end === path.length ? whole : valueAt(whole, path.slice(end + 1), spell);
    if (found !== undefined) return found;
  }
  return undefined;
}

function ownName(value: object, name: string, spell?: (name: string) => string): string | undefined {
  if (Object.hasOwn(value, name)) return name;
  const spelled = spell?.(name);
  return spelled !== undefined && Object.hasOwn(value, spelled) ? spelled : undefined;
}

/** Unwraps a union value, which avsc wraps in an object that names its branch. */
function unwrapped(value: unknown): unknown {
  const { unwrap } = (value ?? {}) as { unwrap?: unknown };
  return typeof unwrap === 'function' ? (value as { unwrap(): unknown }).unwrap() : value;
}

/** Flattens nested lists in row-major order; bytes become numbers unless the model takes bytes. */
function flatten(feature: Feature, value: unknown, datatype: Datatype, depth = 0): unknown[] {
  if (value instanceof Uint8Array) return datatype === 'BYTES' ? [value] : [...value];
  if (!Array.isArray(value)) return [value];
  if (depth === MAX_DEPTH) throw wrong(feature, `lists nested at most ${MAX_DEPTH} deep`, 'more');
  return value.flatMap((element) => flatten(feature, unwrapped(element), datatype, depth + 1));
}

function oneHot(feature: Feature, choices: readonly unknown[], value: unknown): number[] {
  const index = choices.indexOf(typeof value === 'bigint' ? Number(value) : value);
  if (index < 0 && feature.otherwise === undefined)
    throw wrong(feature, `one of ${choices.map(describe).join(', ')}`, describe(value));
  return choices.map((_, place) => (place === index ? 1 : 0));
}

function lookUp(feature: Feature, table: Readonly<Record<string, number>>, value: unknown): number {
  const name = isScalar(value) ? String(value) : undefined;
  if (name !== undefined && Object.hasOwn(table, name)) return table[name] ?? 0;
  if (typeof feature.otherwise === 'number') return feature.otherwise;
  throw wrong(feature, `one of ${Object.keys(table).map(describe).join(', ')}`, describe(value));
}

function scaled(feature: Feature, value: unknown): number | bigint {
  const { subtract, divide } = feature;
  const isPlain = subtract === 0 && divide === 1;
  if (typeof value === 'boolean') return (Number(value) - subtract) / divide;
  if (typeof value !== 'number' && typeof value !== 'bigint')
    throw wrong(feature, 'a number', describe(value));
  if (isPlain) return value;
  const result = (Number(value) - subtract) / divide;
  const overflows = !Number.isFinite(result) && (typeof value === 'bigint' || Number.isFinite(value));
  if (overflows) throw wrong(feature, 'a number that can be scaled', `${value}, which overflows FP64`);
  return result;
}

function isScalar(value: unknown): value is string | number | bigint | boolean {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
}

function wrong({ field }: Feature, expected: string, got: string): PartituraError {
  return invalidRequest(`field '${field}': expected ${expected}, got ${got}`);
}
