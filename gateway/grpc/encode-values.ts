import type { Datatype } from '../../schemas/datatypes.js';
import { encodeElements } from '../../schemas/tensor.js';
import { encodeDense } from '../json/dense.js';

/**
 * Encodes the values of a repeated field as tensor bytes: 64-bit integers are texts, FP16 are its bits, BYTES are
 * buffers. Assumes a little-endian machine.
 * @param field names the tensor in errors
 * @throws PartituraError DATATYPE_MISMATCH that names the first value out of range
 */
export function encodeValues(values: readonly unknown[], datatype: Datatype, field: string): Buffer {
  switch (datatype) {
    case 'BYTES':
      return encodeElements(datatype, values, field);
    case 'BOOL':
      return Buffer.from(values as readonly number[]);
    case 'INT64':
      return Buffer.from(BigInt64Array.from(values as readonly string[], BigInt).buffer);
    case 'UINT64':
      return Buffer.from(BigUint64Array.from(values as readonly string[], BigInt).buffer);
    default:
      return encodeNumbers(values as readonly number[], datatype === 'FP16' ? 'UINT16' : datatype, field);
  }
}

function encodeNumbers(values: readonly number[], datatype: Datatype, field: string): Buffer {
  const shape = [values.length];
  const elements = { shape, values: Float64Array.from(values), exact: new Map<number, bigint>() };
  return encodeDense({ shape, elements }, datatype, field);
}
