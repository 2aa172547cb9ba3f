import { FIELD_NAME, type PredictionField } from '../../cluster/bindings/definition.js';
import { formatShape, type Datatype } from '../../schemas/datatypes.js';
import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import { decodeElements, type Element } from '../../schemas/tensor.js';
import type { ModelSignature, TensorSpec } from '../engine/engine.js';

/** A value of a result: an element of a tensor, or nested lists of elements. */
export type PredictionValue = Element | null | readonly PredictionValue[];

/** Fields added to a record, by name. */
export type Predictions = Readonly<Record<string, PredictionValue>>;

/** Avro type of an element in a result. */
export type ElementType = 'boolean' | 'int' | 'long' | 'float' | 'double' | 'string';

/** A field of results: its type, and how to read it from the model's outputs. */
export interface Prediction {
  readonly name: string;
  readonly type: ElementType;
  /** Nesting depth of its lists; 0 for a single element. */
  readonly depth: number;
  /** Reads the field. @param outputs of the model, for one row */
  read(outputs: readonly OutputTensor[]): PredictionValue;
}

export interface OutputTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const TYPES: Partial<Record<Datatype, ElementType>> = {
  BOOL: 'boolean',
  INT8: 'int',
  INT16: 'int',
  INT32: 'int',
  INT64: 'long',
  UINT8: 'int',
  UINT16: 'int',
  UINT32: 'long',
  FP32: 'float',
  FP64: 'double',
  BYTES: 'string',
};

/**
 * Returns the fields of results of a binding, checked against the model's outputs.
 * @param wanted if undefined, all outputs by their own names
 * @throws PartituraError INVALID_REQUEST that names the field
 */
export function predictionsOf(
  wanted: Readonly<Record<string, PredictionField>> | undefined,
  { outputs }: ModelSignature,
): Prediction[] {
  const all = outputs.map(({ name }): [string, PredictionField] => [name, { output: name, take: 'all' }]);
  const fields = wanted ? Object.entries(wanted) : all;
  const odd = all.find(([name]) => !wanted && !FIELD_NAME.test(name));
  if (odd)
    throw invalidRequest(
      `output.fields: expected a name of letters, digits and _, got '${odd[0]}' from the model: name it in output.fields`,
    );
  return fields.map(([name, field]) => predictionOf(name, field, outputs));
}

function predictionOf(name: string, field: PredictionField, outputs: readonly TensorSpec[]): Prediction {
  const spec = outputNamed(name, field.output, outputs);
  const type = TYPES[spec.datatype];
  if (!type)
    throw invalid(name, `an output of a type that results can hold`, `'${spec.name}' of ${spec.datatype}`);
  const width = spec.shape.slice(1);
  const read = readerOf(spec);
  const { take, labels } = field;
  if (take === 'all') {
    const depth = isSingle(width) ? 0 : width.length;
    return {
      name,
      type,
      depth,
      read: read((values, shape) => (depth === 0 ? (values[0] ?? null) : nested(values, shape))),
    };
  }
  if (typeof take === 'number') {
    refuseBeyond(name, take, width);
    return { name, type, depth: 0, read: read((values) => elementAt(name, values, take)) };
  }
  if (type === 'string' || type === 'boolean')
    throw invalid(name, `numbers for take: ${take}`, `'${spec.name}' of ${spec.datatype}`);
  if (take === 'max')
    return { name, type, depth: 0, read: read((values) => values[largest(values)] ?? null) };
  if (labels) refuseOtherCount(name, labels.length, width);
  return {
    name,
    type: labels ? 'string' : 'int',
    depth: 0,
    read: read((values) => (labels ? (labels[largest(values)] ?? null) : largest(values))),
  };
}

type ReadElements = (values: Element[], shape: readonly number[]) => PredictionValue;

/** Returns a function that completes a reader of elements to one of the model's outputs. */
function readerOf(spec: TensorSpec): (read: ReadElements) => Prediction['read'] {
  return (read) => (tensors) => {
    const tensor = tensors.find((found) => found.name === spec.name);
    if (!tensor)
      throw new PartituraError('INTERNAL', `output '${spec.name}': expected from the model, got nothing`);
    const elements = decodeElements(tensor.datatype, Buffer.from(tensor.data), `output '${spec.name}'`);
    return read(elements, tensor.shape.slice(1));
  };
}

function outputNamed(field: string, wanted: string | undefined, outputs: readonly TensorSpec[]): TensorSpec {
  const names = outputs.map(({ name }) => `'${name}'`).join(', ');
  const spec =
    wanted === undefined && outputs.length === 1 ? outputs[0] : outputs.find(({ name }) => name === wanted);
  if (spec) return spec;
  throw invalid(field, `output: one of ${names}`, wanted === undefined ? 'none' : `'${wanted}'`);
}

/** Returns true for one element per row, in any number of dimensions. */
function isSingle(width: readonly number[]): boolean {
  return width.every((dimension) => dimension === 1);
}

function countOf(width: readonly number[]): number | undefined {
  return width.includes(-1) ? undefined : width.reduce((product, dimension) => product * dimension, 1);
}

function refuseBeyond(name: string, index: number, width: readonly number[]): void {
  const count = countOf(width);
  if (count !== undefined && index >= count)
    throw invalid(name, `take: an element of ${formatShape(width)}`, String(index));
}

function refuseOtherCount(name: string, labels: number, width: readonly number[]): void {
  const count = countOf(width);
  if (count !== undefined && count !== labels) throw invalid(name, `${count} labels`, String(labels));
}

function elementAt(name: string, values: readonly Element[], index: number): Element {
  const value = values[index];
  if (value !== undefined) return value;
  throw new PartituraError(
    'MODEL_FAILED',
    `field '${name}': expected more than ${index} elements, got ${values.length}`,
  );
}

/** Returns the index of the largest element, the first of equal ones; NaN is skipped. */
function largest(values: readonly Element[]): number {
  let best = 0;
  values.forEach((value, index) => {
    const least = values[best];
    if (least === undefined || value > least || Number.isNaN(least)) best = index;
  });
  return best;
}

/** Converts row-major elements to nested lists. */
function nested(values: readonly Element[], [count = 0, ...inner]: readonly number[]): PredictionValue[] {
  if (inner.length === 0) return values.slice(0, count);
  const size = values.length / Math.max(count, 1);
  return Array.from({ length: count }, (_, index) =>
    nested(values.slice(index * size, (index + 1) * size), inner),
  );
}

function invalid(field: string, expected: string, got: string): PartituraError {
  return invalidRequest(`output.fields.${field}: expected ${expected}, got ${got}`);
}
