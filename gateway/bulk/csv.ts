import { elementOf, type CsvRecord } from '../../schemas/csv.js';
import type { Datatype } from '../../schemas/datatypes.js';
import type { InferenceReply, Tensor, TensorStatus } from '../../schemas/generated.js';
import { elementTexts } from '../json/write-elements.js';
import { invalidRequest } from '../../schemas/errors.js';

/**
 * Builds the row of a record: columns named like inputs, or, for a model with one input, all columns in their order.
 * @throws PartituraError INVALID_REQUEST that names the column
 */
export function rowOf(record: CsvRecord, inputs: readonly TensorStatus[]): unknown {
  const [input] = inputs;
  const isNamed = inputs.every(({ name }) => record.has(name));
  if (isNamed && inputs.length > 0)
    return Object.fromEntries(
      inputs.map((spec) => [spec.name, valueOf(record.get(spec.name) ?? '', spec.name, spec)]),
    );
  if (inputs.length !== 1 || !input) {
    const names = inputs.map(({ name }) => name).join(', ');
    throw invalidRequest(`CSV: expected columns ${names}, got ${[...record.keys()].join(', ')}`);
  }
  return [...record].map(([column, text]) => valueOf(text, column, input));
}

function valueOf(text: string, column: string, { datatype }: Pick<TensorStatus, 'datatype'>): unknown {
  return elementOf(text, datatype as Datatype, `column '${column}'`);
}

/** Writes the header line of answers: a column for each element of a row, and one for errors. */
export function headerLine(outputs: readonly TensorStatus[]): string {
  const columns = outputs.flatMap(({ name, shape }) => columnsOf(name, shape.slice(1)));
  return `${[...columns, 'error'].map(quoted).join(',')}\n`;
}

function columnsOf(name: string, rest: readonly number[]): string[] {
  const size = rest.reduce((product, dimension) => product * dimension, 1);
  if (rest.length === 0) return [name];
  // An open dimension has no fixed number of columns: its elements share one, separated by blanks.
  return size < 0 ? [name] : Array.from({ length: size }, (_, index) => `${name}_${index}`);
}

/** Writes the answer of a row. */
export function answerLine({ outputs }: InferenceReply, specs: readonly TensorStatus[]): string {
  const cells = specs.flatMap((spec) =>
    cellsOf(
      outputs.find(({ name }) => name === spec.name),
      spec,
    ),
  );
  return `${[...cells, ''].map(quoted).join(',')}\n`;
}

function cellsOf(output: Tensor | undefined, { shape }: TensorStatus): string[] {
  if (!output) return [''];
  const texts = elementTexts(output).map((text) =>
    text.startsWith('"') ? (JSON.parse(text) as string) : text,
  );
  return shape.slice(1).some((dimension) => dimension < 0) ? [texts.join(' ')] : texts;
}

/** Writes the error of a row. */
export function errorLine(message: string, outputs: readonly TensorStatus[]): string {
  const empty = outputs.flatMap(({ name, shape }) => columnsOf(name, shape.slice(1))).map(() => '');
  return `${[...empty, message].map(quoted).join(',')}\n`;
}

function quoted(cell: string): string {
  return /[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
