import { isUtf8 } from 'node:buffer';
import type { Datatype } from '../../schemas/datatypes.js';
import { invalidRequest } from '../../schemas/errors.js';
import type { Tensor } from '../../schemas/generated.js';
import { decodeElements, splitBytes } from '../../schemas/tensor.js';

/** Significant digits that identify every 32-bit float; six are enough for most. */
const FLOAT_DIGITS = [6, 9];
const DOUBLE_DIGITS = [6, 17];
/** Outputs with this ending are bytes even where they are text. */
const BYTES_SUFFIX = '_bytes';

/**
 * Writes each row of an output as JSON text.
 * @throws PartituraError INVALID_REQUEST if the first dimension is not `batch`
 */
export function rowTexts(output: Tensor, batch: number): string[] {
  const { name, shape } = output;
  if (shape.length === 0) throw invalidRequest(`Tensor name: ${name} has no shape information `);
  if (shape[0] !== batch)
    throw invalidRequest(`Tensor name: ${name} has inconsistent batch size: ${shape[0]} expecting: ${batch}`);
  const texts = elementTexts(output);
  const size = texts.length / Math.max(1, batch);
  return Array.from({ length: batch }, (_, row) =>
    nested(texts.slice(row * size, (row + 1) * size), shape.slice(1), 0),
  );
}

/** Nests the texts of elements in row-major order. */
export function nested(texts: readonly string[], shape: readonly number[], level: number): string {
  if (level === shape.length) return texts[0] ?? '';
  if (level === shape.length - 1) return `[${texts.join(',')}]`;
  const count = shape[level] ?? 0;
  const size = texts.length / Math.max(1, count);
  const parts = Array.from({ length: count }, (_, index) =>
    nested(texts.slice(index * size, (index + 1) * size), shape, level + 1),
  );
  return `[${parts.join(',')}]`;
}

/** Writes each element as JSON text; bytes that are not UTF-8 as `{"b64": …}`. */
export function elementTexts({ name, datatype, data }: Tensor): string[] {
  if (datatype === 'BYTES')
    return splitBytes(data).map((element) => bytesText(element, name.endsWith(BYTES_SUFFIX)));
  const elements = decodeElements(datatype as Datatype, data, `output '${name}'`);
  if (datatype === 'FP32')
    return elements.map((number) => decimal(number as number, FLOAT_DIGITS, Math.fround));
  if (datatype === 'FP64') return elements.map((number) => decimal(number as number, DOUBLE_DIGITS, Number));
  return elements.map(String);
}

function bytesText(element: Buffer, asBytes: boolean): string {
  // JSON text cannot hold other bytes; TensorFlow Serving writes them broken.
  if (asBytes || !isUtf8(element)) return `{"b64":"${element.toString('base64')}"}`;
  return JSON.stringify(element.toString('utf8'));
}

/**
 * Writes a number as TensorFlow Serving does: with six digits if they suffice, with a point or an exponent in any case,
 * and NaN and infinities bare.
 */
export function decimal(
  number: number,
  [few, all]: readonly number[] = FLOAT_DIGITS,
  stored: (number: number) => number = Math.fround,
): string {
  if (Number.isInteger(number) && Math.abs(number) < 1e6) return `${Object.is(number, -0) ? '-0' : number}.0`;
  if (!Number.isFinite(number)) return String(number);
  const short = Number(number.toPrecision(few));
  const text = String(stored(short) === number ? short : Number(number.toPrecision(all)));
  return /[.e]/.test(text) ? text : `${text}.0`;
}
