import type { Datatype } from '../../../schemas/datatypes.js';
import { PartituraError, invalidRequest } from '../../../schemas/errors.js';
import { checkCount } from '../../json/dense.js';
import { encodeValues } from '../encode-values.js';
import type { InferTensorContents } from './messages.js';

type Field = keyof InferTensorContents;

/** Field of each data type; FP16 has none. */
const FIELDS: Readonly<Record<Datatype, Field | undefined>> = {
  BOOL: 'bool_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  FP16: undefined,
  FP32: 'fp32_contents',
  FP64: 'fp64_contents',
  BYTES: 'bytes_contents',
};

/**
 * Encodes typed contents as tensor bytes.
 * @param field names the input in errors
 * @throws PartituraError if the contents are of another data type, out of its range, or do not fill the shape
 */
export function encodeContents(
  contents: InferTensorContents | null,
  datatype: Datatype,
  shape: readonly number[],
  field: string,
): Buffer {
  const expected = FIELDS[datatype];
  if (expected === undefined)
    throw invalidRequest(`${field}: expected ${datatype} in raw_input_contents, got typed contents`);
  const other = filledFields(contents).find((name) => name !== expected);
  if (other !== undefined)
    throw new PartituraError(
      'DATATYPE_MISMATCH',
      `${field}: expected ${datatype} in ${expected}, got ${other}`,
    );
  const elements: readonly unknown[] = contents?.[expected] ?? [];
  checkCount(elements.length, shape, field);
  return encodeValues(elements, datatype, field);
}

function filledFields(contents: InferTensorContents | null): Field[] {
  const names = Object.keys(contents ?? {}) as Field[];
  return names.filter((name) => (contents?.[name].length ?? 0) > 0);
}
