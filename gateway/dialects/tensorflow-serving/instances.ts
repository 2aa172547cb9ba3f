import { invalidRequest } from '../../../schemas/errors.js';
import { formatShape } from '../../../schemas/datatypes.js';
import type { Tensor, TensorStatus } from '../../../schemas/generated.js';
import { isNumberArray } from '../../json/number-array.js';
import { isBase64Object } from './base64.js';
import { debugText } from './json-types.js';
import { datatypeOf, onlyInput } from './inputs.js';
import { encode, readDense } from './read-tensor.js';

/** Rows of one input, each of the same shape. */
interface Rows {
  readonly spec: TensorStatus;
  shape: readonly number[] | undefined;
  size: number;
  readonly data: Buffer[];
}

/** Joins instances, one row each, into tensors. @throws PartituraError with TensorFlow Serving's texts */
export function joinRows(instances: readonly unknown[], specs: readonly TensorStatus[]): Tensor[] {
  const areObjects = isNamed(instances[0]);
  const only = areObjects
    ? undefined
    : onlyInput(specs, 'instances is a plain list, but expecting list of objects');
  const rows = new Map(specs.map((spec) => [spec.name, { spec, shape: undefined, size: 0, data: [] }]));
  instances.forEach((instance, index) => {
    if (only) addPlain(instance, index, rows.get(only.name));
    else addNamed(instance, index, rows);
  });
  return [...rows.values()].map(({ spec, shape, data }) => ({
    name: spec.name,
    datatype: spec.datatype,
    shape: [instances.length, ...(shape ?? [])],
    data: Buffer.concat(data),
  }));
}

function isNamed(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !isNumberArray(value) &&
    !isBase64Object(value)
  );
}

function addPlain(instance: unknown, index: number, rows: Rows | undefined): void {
  if (isNamed(instance))
    throw invalidRequest(`Expecting value/list but got object at item ${index} of input list`);
  inElement(`Failed to process element: ${index}`, () => addRow(instance, rows));
}

function addNamed(instance: unknown, index: number, rows: ReadonlyMap<string, Rows>): void {
  if (!isNamed(instance))
    throw invalidRequest(`Expecting object but got list at item ${index} of input list`);
  for (const [name, value] of Object.entries(instance))
    inElement(`Failed to process element: ${index} key: ${name}`, () => {
      if (!rows.has(name)) throw invalidRequest(`JSON object: does not have named input: ${name}`);
      addRow(value, rows.get(name));
    });
  if (Object.keys(instance).length === rows.size) return;
  throw invalidRequest(
    `Failed to process element: ${index} of 'instances' list. JSON object: ${debugText(instance)} keys must be equal to: ${[...rows.keys()].sort().join(',')}`,
  );
}

function inElement(where: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    const { message } = error as Error;
    throw invalidRequest(`${where} of 'instances' list. Error: INVALID_ARGUMENT: ${message}`);
  }
}

function addRow(value: unknown, rows: Rows | undefined): void {
  if (!rows) return;
  const dense = readDense(value);
  const size = isNumberArray(dense.elements) ? dense.elements.values.length : dense.elements.length;
  rows.data.push(encode(dense, datatypeOf(rows.spec)));
  if (rows.shape === undefined) {
    rows.shape = dense.shape;
    rows.size = size;
  } else if (rows.size !== size) throw invalidRequest(`Expecting tensor size: ${rows.size} but got: ${size}`);
  else if (formatShape(rows.shape) !== formatShape(dense.shape))
    throw invalidRequest(`Expecting shape ${formatShape(rows.shape)} but got: ${formatShape(dense.shape)}`);
}
