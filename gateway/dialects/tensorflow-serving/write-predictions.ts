import { invalidRequest } from '../../../schemas/errors.js';
import type { Tensor } from '../../../schemas/generated.js';
import { decimal, elementTexts, nested, rowTexts } from '../../json/write-elements.js';
import type { Classified } from '../../tensorflow/classification.js';
import type { PredictFormat } from './read-predict.js';

/** Writes outputs in the format of their request. @throws PartituraError INTERNAL if outputs have different numbers of rows */
export function writePredictions(outputs: readonly Tensor[], format: PredictFormat): string {
  if (outputs.length === 0) throw invalidRequest('Cannot convert empty tensor map to JSON');
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

function named(outputs: readonly Tensor[], texts: readonly string[]): string {
  return `{${outputs.map(({ name }, index) => `${JSON.stringify(name)}:${texts[index]}`).join(',')}}`;
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
