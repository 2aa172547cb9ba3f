import type { Datatype } from '../../../schemas/datatypes.js';
import { RoundedNumber } from '../../../schemas/exact-number.js';
import { isNumberArray } from '../../json/number-array.js';

/** TensorFlow Serving truncates the values that it quotes. */
const MAX_CHARACTERS = 256;

/** TensorFlow's names of data types, as error texts have them. */
const NAMES: Readonly<Record<Datatype, string>> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'half',
  FP32: 'float',
  FP64: 'double',
  BYTES: 'string',
};

export const tensorflowName = (datatype: Datatype): string => NAMES[datatype];

/** Returns the JSON type of a value, as TensorFlow Serving names it. */
export function jsonType(value: unknown): string {
  if (value === null) return 'Null';
  if (isNumberArray(value) || Array.isArray(value)) return 'Array';
  if (typeof value === 'number' || typeof value === 'bigint' || value instanceof RoundedNumber)
    return 'Number';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return typeof value === 'string' ? 'String' : 'Object';
}

/** Quotes a JSON value for an error text, truncated. */
export function debugText(value: unknown): string {
  const text = JSON.stringify(value, (_, entry: unknown) => {
    if (isNumberArray(entry)) return Array.from(entry.values.subarray(0, MAX_CHARACTERS));
    return typeof entry === 'bigint' ? Number(entry) : entry;
  });
  return (text ?? '').slice(0, MAX_CHARACTERS);
}
