import type { Tensor } from '../../../schemas/generated.js';
import { rowTexts } from '../../json/write-elements.js';

/**
 * Writes outputs as Watson does: one entry whose fields are the outputs and whose values are rows, with lists nested.
 * @throws PartituraError if outputs have different numbers of rows
 */
export function writePrediction(outputs: readonly Tensor[]): string {
  const rows = outputs[0]?.shape[0] ?? 0;
  const fields = outputs.map(({ name }) => name);
  const texts = outputs.map((output) => rowTexts(output, rows));
  const values = Array.from(
    { length: rows },
    (_, row) => `[${texts.map((column) => column[row] ?? 'null').join(',')}]`,
  );
  return `{"predictions":[{"fields":${JSON.stringify(fields)},"values":[${values.join(',')}]}]}`;
}
