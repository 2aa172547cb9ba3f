import { type PartituraError, invalidRequest } from '../../../schemas/errors.js';

/**
 * Splits `tensor_content` of a string tensor: the lengths of all elements as varints, then their bytes.
 * https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/platform/coding.h
 * @throws PartituraError INVALID_REQUEST if the bytes are not such a list
 */
export function splitStringList(data: Buffer, count: number, field: string): Buffer[] {
  const lengths: number[] = [];
  let position = 0;
  while (lengths.length < count) {
    const { value, end } = readVarint(data, position);
    if (end > data.length) throw malformed(field, count);
    lengths.push(value);
    position = end;
  }
  const elements = lengths.map((length) => data.subarray(position, (position += length)));
  if (position !== data.length) throw malformed(field, count);
  return elements;
}

/** Reads a varint of at most 32 bits; `end` is past the data if it is cut off. */
function readVarint(data: Buffer, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let index = 0; index < 5; index++) {
    const byte = data[start + index];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: start + index + 1 };
  }
  return { value: 0, end: Infinity };
}

function malformed(field: string, count: number): PartituraError {
  return invalidRequest(`${field}: expected tensor_content with ${count} strings`);
}
