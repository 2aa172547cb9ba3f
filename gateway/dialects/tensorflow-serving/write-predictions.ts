import { isUtf8 } from 'node:buffer';
import type { Datatype } from '../../../schemas/datatypes.js';
import { PartituraError } from '../../../schemas/errors.js';
import type { Tensor } from '../../../schemas/generated.js';
import { decodeElements, splitBytes } from '../../../schemas/tensor.js';
import type { Classified } from '../../tensorflow/classification.js';
import type { PredictFormat } from './read-predict.js';

/** Digits by which every float of 32 bits can be told apart; six are enough for most. */
const FLOAT_DIGITS = [6, 9];
const DOUBLE_DIGITS = [6, 17];
/** Outputs with this ending are bytes even where they are text. */
const BYTES_SUFFIX = '_bytes';

/** Writes outputs in the format of their request. @throws PartituraError INTERNAL if rows cannot be told apart */
export function writePredictions(outputs: readonly Tensor[], format: PredictFormat): string {
  if (outputs.length === 0) throw internal('Cannot convert empty tensor map to JSON');
  const sorted = [...outputs].sort((a, b) => (a.name < b.name ? -1 : 1));
  return format === 'row' ? writeRows(sorted) : writeColumns(sorted);
}

function writeColumns(outputs: readonly Tensor[]): string {
  const texts = outputs.map((output) => nested(elementTexts(output), output.shape, 0));
  return `{"outputs":${texts.length === 1 ? (texts[0] ?? '') : named(outputs, texts)}}`;
}

function writeRows(outputs: readonly Tensor[]): string {
  const rows = outputs.map((output) => rowTexts(output, outputs[0]?.shape[0] ?? 0));
  const predictions = (rows[0] ?? []).map((first, index) =>
    rows.length === 1
      ? first
      : named(
          outputs,
          rows.map((texts) => texts[index] ?? ''),
        ),
  );
  return `{"predictions":[${predictions.join(',')}]}`;
}

function rowTexts(output: Tensor, batch: number): string[] {
  const { name, shape } = output;
  if (shape.length === 0) throw internal(`Tensor name: ${name} has no shape information `);
  if (shape[0] !== batch)
    throw internal(`Tensor name: ${name} has inconsistent batch size: ${shape[0]} expecting: ${batch}`);
  const texts = elementTexts(output);
  const size = texts.length / Math.max(1, batch);
  return Array.from({ length: batch }, (_, row) =>
    nested(texts.slice(row * size, (row + 1) * size), shape.slice(1), 0),
  );
}

function named(outputs: readonly Tensor[], texts: readonly string[]): string {
  return `{${outputs.map(({ name }, index) => `${JSON.stringify(name)}:${texts[index]}`).join(',')}}`;
}

/** Nests the texts of elements in row-major order. */
function nested(texts: readonly string[], shape: readonly number[], level: number): string {
  if (level === shape.length) return texts[0] ?? '';
  if (level === shape.length - 1) return `[${texts.join(',')}]`;
  const count = shape[level] ?? 0;
  const size = texts.length / Math.max(1, count);
  const parts = Array.from({ length: count }, (_, index) =>
    nested(texts.slice(index * size, (index + 1) * size), shape, level + 1),
  );
  return `[${parts.join(',')}]`;
}

function elementTexts({ name, datatype, data }: Tensor): string[] {
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

/** Writes the results of `classify`: pairs of label and score for each example. */
export function writeClassifications(results: readonly (readonly Classified[])[]): string {
  const texts = results.map(
    (classes) =>
      `[${classes.map(({ label, score }) => `[${JSON.stringify(label)},${decimal(score)}]`).join(',')}]`,
  );
  return `{"results":[${texts.join(',')}]}`;
}

/** Writes the results of `regress`: one value for each example. */
export function writeRegressions(values: readonly number[]): string {
  return `{"results":[${values.map((value) => decimal(value)).join(',')}]}`;
}

function internal(message: string): PartituraError {
  return new PartituraError('INVALID_REQUEST', message);
}
