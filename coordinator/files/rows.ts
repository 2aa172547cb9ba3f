import { createReadStream } from 'node:fs';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { toTensor, type NestedList } from '../../producers/tensors.js';
import { csvRecords, elementOf, type CsvRecord } from '../../schemas/csv.js';
import { isDatatype, type Datatype } from '../../schemas/datatypes.js';
import { invalidRequest } from '../../schemas/errors.js';
import type { Tensor, TensorStatus } from '../../schemas/generated.js';
import { parseJson } from '../../schemas/json.js';

/** Values of one row by input. */
type Row = Readonly<Record<string, unknown>>;

const MAX_LINE_BYTES = 16 * 1024 * 1024;

/**
 * Reads a file row by row and groups rows: at most so many, and, judged by the first row, so many bytes.
 * @param path ends in .ndjson, .jsonl or .csv
 * @returns the inputs of each group
 * @throws PartituraError INVALID_REQUEST that names the line
 */
export async function* rowGroups(
  path: string,
  inputs: readonly TensorStatus[],
  { rows: most, bytes }: { readonly rows: number; readonly bytes: number },
): AsyncGenerator<Tensor[]> {
  let group: Row[] = [];
  let rowsPerGroup: number | undefined;
  for await (const row of rowsOf(path, inputs)) {
    rowsPerGroup ??= Math.max(1, Math.min(most, Math.floor(bytes / bytesOf(tensorsOf([row], inputs)))));
    group.push(row);
    if (group.length < rowsPerGroup) continue;
    yield tensorsOf(group, inputs);
    group = [];
  }
  if (group.length > 0) yield tensorsOf(group, inputs);
}

function bytesOf(tensors: readonly Tensor[]): number {
  return Math.max(
    1,
    tensors.reduce((sum, { data }) => sum + data.length, 0),
  );
}

function rowsOf(path: string, inputs: readonly TensorStatus[]): AsyncGenerator<Row> {
  const read = READERS[extname(path)];
  if (read) return read(path, inputs);
  throw invalidRequest(
    `parameters.input: expected a file that ends in ${Object.keys(READERS).join(', ')}, got '${extname(path)}'`,
  );
}

const READERS: Readonly<
  Record<string, (path: string, inputs: readonly TensorStatus[]) => AsyncGenerator<Row>>
> = { '.ndjson': jsonRows, '.jsonl': jsonRows, '.csv': csvRows };

/** Reads a value for the only input from each line, or an object with a value for each. */
async function* jsonRows(path: string, inputs: readonly TensorStatus[]): AsyncGenerator<Row> {
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    line++;
    if (text.trim() === '') continue;
    const value = parseJson(text, true, `line ${line}`);
    yield isObject(value) ? value : { [onlyInput(inputs, line)]: value };
  }
}

/** Reads columns named like inputs or, for a model with one input, all columns in their order. */
async function* csvRows(path: string, inputs: readonly TensorStatus[]): AsyncGenerator<Row> {
  const file = createReadStream(path);
  let line = 1;
  try {
    for await (const record of csvRecords(file, MAX_LINE_BYTES)) yield csvRow(record, inputs, ++line);
  } finally {
    file.destroy();
  }
}

function csvRow(record: CsvRecord, inputs: readonly TensorStatus[], line: number): Row {
  if (inputs.every(({ name }) => record.has(name)))
    return Object.fromEntries(
      inputs.map((spec) => [spec.name, cell(record.get(spec.name) ?? '', spec, line)]),
    );
  const name = onlyInput(inputs, line);
  const spec = inputs[0] as TensorStatus;
  return { [name]: [...record.values()].map((text) => cell(text, spec, line)) };
}

function cell(text: string, { datatype, name }: TensorStatus, line: number): unknown {
  return elementOf(text, datatype as Datatype, `line ${line}, input '${name}'`);
}

function onlyInput(inputs: readonly TensorStatus[], line: number): string {
  const [only, ...others] = inputs;
  if (only && others.length === 0) return only.name;
  throw invalidRequest(
    `line ${line}: expected values for ${inputs.map(({ name }) => `'${name}'`).join(', ')}, got one without a name`,
  );
}

function tensorsOf(rows: readonly Row[], inputs: readonly TensorStatus[]): Tensor[] {
  return inputs.map(({ name, datatype }) => {
    const data = rows.map((row) => row[name]) as NestedList;
    if (!isDatatype(datatype)) throw invalidRequest(`input '${name}': unknown datatype ${datatype}`);
    return toTensor(name, { data, datatype });
  });
}

function isObject(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
