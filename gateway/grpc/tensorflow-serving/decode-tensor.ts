import { ELEMENT_BYTES, elementCount, formatShape, type Datatype } from '../../../schemas/datatypes.js';
import { PartituraError, invalidRequest } from '../../../schemas/errors.js';
import type { Tensor } from '../../../schemas/generated.js';
import { encodeElements } from '../../../schemas/tensor.js';
import { datatypeOfDataType } from '../../tensorflow/data-types.js';
import { encodeValues } from '../encode-values.js';
import { splitStringList } from './string-list.js';
import { VALUE_FIELDS, type TensorProto } from './tensor-proto.js';

/** Length of a BYTES element's prefix. */
const PREFIX_BYTES = 4;

/**
 * Decodes an input. As in TensorFlow, the last of too few values is repeated, and no value at all is zero.
 * @param maxBytes limit of a repeated value's tensor
 * @throws PartituraError that names the input
 */
export function decodeTensorProto(name: string, proto: TensorProto, maxBytes: number): Tensor {
  const field = `input '${name}'`;
  const datatype = datatypeOfDataType(proto.dtype);
  if (datatype === undefined)
    throw invalidRequest(`${field}: expected a dtype of the Open Inference Protocol, got ${proto.dtype}`);
  const shape = readShape(proto, field);
  const count = elementCount(shape);
  if (proto.tensor_content.length > 0)
    return { name, datatype, shape, data: readContent(proto.tensor_content, datatype, shape, field) };
  const bytes = count * (ELEMENT_BYTES[datatype] ?? PREFIX_BYTES + lastLength(proto));
  if (bytes > maxBytes)
    throw new PartituraError(
      'REQUEST_TOO_LARGE',
      `${field}: expected at most ${maxBytes} bytes, got shape ${formatShape(shape)}`,
    );
  return { name, datatype, shape, data: readValues(proto, datatype, count, field) };
}

function readShape({ tensor_shape: shape }: TensorProto, field: string): number[] {
  if (shape?.unknown_rank) throw invalidRequest(`${field}: expected a shape, got unknown_rank`);
  return (shape?.dim ?? []).map(({ size }) => {
    const dimension = Number(size);
    if (Number.isSafeInteger(dimension) && dimension >= 0) return dimension;
    throw invalidRequest(`${field}: expected a shape of whole numbers, got ${size}`);
  });
}

function readContent(data: Buffer, datatype: Datatype, shape: readonly number[], field: string): Buffer {
  const count = elementCount(shape);
  const elementBytes = ELEMENT_BYTES[datatype];
  if (elementBytes === undefined) return encodeElements('BYTES', splitStringList(data, count, field), field);
  if (data.length === count * elementBytes) return data;
  throw new PartituraError(
    'SHAPE_MISMATCH',
    `${field}: expected ${count * elementBytes} bytes of ${datatype} for shape ${formatShape(shape)}, got ${data.length}`,
  );
}

function readValues(proto: TensorProto, datatype: Datatype, count: number, field: string): Buffer {
  const name = VALUE_FIELDS[datatype];
  const values: readonly unknown[] = proto[name];
  if (values.length > count)
    throw new PartituraError(
      'SHAPE_MISMATCH',
      `${field}: expected at most ${count} values in ${name}, got ${values.length}`,
    );
  const last = values.at(-1) ?? zeroOf(datatype);
  const missing = Array<unknown>(count - values.length).fill(last);
  return encodeValues(missing.length === 0 ? values : [...values, ...missing], datatype, field);
}

/** Returns the length of the string that is repeated. */
function lastLength({ string_val: values }: TensorProto): number {
  return values.at(-1)?.length ?? 0;
}

function zeroOf(datatype: Datatype): unknown {
  if (datatype === 'BYTES') return Buffer.alloc(0);
  return datatype === 'BOOL' ? false : 0;
}
