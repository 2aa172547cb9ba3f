import { isDatatype } from '../../../schemas/datatypes.js';
import { invalidRequest } from '../../../schemas/errors.js';
import type { SignatureStatus, Tensor, TensorStatus } from '../../../schemas/generated.js';
import { encodeDense, toDense } from '../../json/dense.js';
import { isNumberArray } from '../../json/number-array.js';

interface InputData {
  readonly id?: unknown;
  readonly fields?: unknown;
  readonly values?: unknown;
}

/**
 * Reads `input_data`: rows of values. A model with one input takes whole rows; with several, the entry with an input's
 * name as `id`, or the columns whose `fields` are the names of the inputs.
 * @throws PartituraError INVALID_REQUEST that names the field
 */
export function readPredictionInput(body: unknown, { inputs }: SignatureStatus): Tensor[] {
  const { input_data: data } = (body ?? {}) as { input_data?: unknown };
  if (!Array.isArray(data) || data.length === 0)
    throw invalidRequest('input_data: expected a list with one entry or more');
  const entries = data as readonly InputData[];
  const [input] = inputs;
  const [entry] = entries;
  if (inputs.length === 1 && input && entry) {
    if (entries.length > 1) throw invalidRequest(`input_data: expected one entry, got ${entries.length}`);
    return [tensorOf(input, entry.values, 'input_data[0].values')];
  }
  return inputs.map((spec) => fromEntries(spec, entries));
}

function fromEntries(spec: TensorStatus, entries: readonly InputData[]): Tensor {
  const named = entries.findIndex(({ id }) => id === spec.name);
  if (named !== -1) return tensorOf(spec, entries[named]?.values, `input_data[${named}].values`);
  const [entry] = entries;
  const column = Array.isArray(entry?.fields) ? (entry.fields as unknown[]).indexOf(spec.name) : -1;
  if (column === -1)
    throw invalidRequest(
      `input_data: expected an entry with id '${spec.name}', or a field '${spec.name}', got none`,
    );
  const rows = rowsOf(entry?.values);
  return tensorOf(
    spec,
    rows.map((row) => row[column]),
    `field '${spec.name}'`,
  );
}

function rowsOf(values: unknown): readonly (readonly unknown[])[] {
  if (isNumberArray(values) && values.shape.length === 2) {
    const [rows = 0, width = 0] = values.shape;
    const number = (at: number): unknown => values.exact.get(at) ?? values.values[at];
    return Array.from({ length: rows }, (_, row) =>
      Array.from({ length: width }, (_unused, at) => number(row * width + at)),
    );
  }
  if (Array.isArray(values) && values.every(Array.isArray)) return values as unknown[][];
  throw invalidRequest('input_data[0].values: expected a list of rows');
}

function tensorOf({ name, datatype }: TensorStatus, values: unknown, field: string): Tensor {
  if (!isDatatype(datatype))
    throw invalidRequest(`${field}: input '${name}' has the unknown datatype ${datatype}`);
  if (!Array.isArray(values) && !isNumberArray(values))
    throw invalidRequest(`${field}: expected a list of rows`);
  const dense = toDense(values, field);
  return { name, datatype, shape: [...dense.shape], data: encodeDense(dense, datatype, field) };
}
