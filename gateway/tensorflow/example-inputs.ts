import { ELEMENT_BYTES, isDatatype, type Datatype } from '../../schemas/datatypes.js';
import { invalidRequest, PartituraError } from '../../schemas/errors.js';
import type { SignatureStatus, Tensor, TensorStatus } from '../../schemas/generated.js';
import { encodeElements } from '../../schemas/tensor.js';
import { encodeDense } from '../json/dense.js';
import { encodeExample, type Example, type Feature } from './example.js';

/** Name of the input that takes serialized examples. */
const SERIALIZED = 'inputs';

/**
 * Converts examples to the inputs of a signature: to serialized examples if that is what the model takes, otherwise
 * feature by feature.
 * @param maxBytes more bytes than a request may have
 * @throws PartituraError INVALID_REQUEST that names the feature, REQUEST_TOO_LARGE before much work is done
 */
export function exampleInputs(
  examples: readonly Example[],
  { inputs }: SignatureStatus,
  maxBytes: number,
): Tensor[] {
  const [input] = inputs;
  if (
    inputs.length === 1 &&
    input?.datatype === 'BYTES' &&
    (input.name === SERIALIZED || input.shape.length === 1)
  )
    return [serialized(examples, input.name, maxBytes)];
  return inputs.map((spec) => featureColumn(examples, spec, maxBytes));
}

/** Each value takes a byte or more. */
function serialized(examples: readonly Example[], name: string, maxBytes: number): Tensor {
  const values = examples.flatMap((example) => Object.values(example).map(countOf));
  requireSize(
    values.reduce((sum, count) => sum + count, 0),
    maxBytes,
  );
  const data = encodeElements('BYTES', examples.map(encodeExample), name);
  return { name, datatype: 'BYTES', shape: [examples.length], data };
}

function featureColumn(
  examples: readonly Example[],
  { name, datatype, shape }: TensorStatus,
  maxBytes: number,
): Tensor {
  if (!isDatatype(datatype)) throw invalidRequest(`Feature: ${name} has unknown type ${datatype}`);
  const rows = examples.map((example) => valuesOf(example, name));
  const size = rows[0]?.length ?? 0;
  const different = rows.findIndex((row) => row.length !== size);
  if (different !== -1)
    throw invalidRequest(
      `Feature: ${name} has ${rows[different]?.length} values in example ${different} expecting: ${size}`,
    );
  requireSize(rows.length * size * (ELEMENT_BYTES[datatype] ?? 1), maxBytes);
  const rest = shape.slice(1);
  const isScalar = shape.length === 1 && size === 1;
  const rowShape = isScalar ? [] : rest.length > 1 && !rest.includes(-1) ? rest : [size];
  return {
    name,
    datatype,
    shape: [examples.length, ...rowShape],
    data: encodeValues(rows.flat(), datatype, `feature '${name}'`),
  };
}

function countOf({ floatList, int64List, bytesList }: Feature): number {
  return (floatList ?? int64List ?? bytesList)?.value.length ?? 0;
}

function requireSize(bytes: number, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  throw new PartituraError('REQUEST_TOO_LARGE', `examples: expected at most ${maxBytes} bytes, got more`);
}

/** Encodes values; many doubles at once, which is faster. */
function encodeValues(values: readonly unknown[], datatype: Datatype, field: string): Buffer {
  if (!values.every((value) => typeof value === 'number')) return encodeElements(datatype, values, field);
  const shape = [values.length];
  const elements = { shape, values: Float64Array.from(values), exact: new Map() };
  return encodeDense({ shape, elements }, datatype, field);
}

function valuesOf(example: Example, name: string): readonly unknown[] {
  const feature = Object.hasOwn(example, name) ? example[name] : undefined;
  const values = feature?.floatList?.value ?? feature?.int64List?.value ?? feature?.bytesList?.value;
  if (values) return values;
  throw invalidRequest(`Feature: ${name} is required but could not be found`);
}
