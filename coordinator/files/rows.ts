import { parse } from 'csv-parse';
import { createReadStream } from 'node:fs';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { toTensor, type NestedList } from '../../producers/tensors.js';
import { isDatatype } from '../../schemas/datatypes.js';
import { invalidRequest, PartituraError } from '../../schemas/errors.js';
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
  const options = { bom: true, trim: true, skip_empty_lines: true, max_record_size: MAX_LINE_BYTES };
  let header: readonly string[] | undefined;
  let line = 0;
  // `pipeline` passes on errors of reading, which `pipe` would leave to nobody.
  const parser = parse(options);
  const reading = pipeline(createReadStream(path), parser).catch(() => undefined);
  try {
    for await (const cells of parser as AsyncIterable<readonly string[]>) {
      line++;
      if (header) yield csvRow(cells, header, inputs, line);
      else header = checkHeader(cells);
    }
  } finally {
    parser.destroy();
    await reading;
  }
}

function checkHeader(names: readonly string[]): readonly string[] {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return names;
  throw invalidRequest(`line 1: expected each column once, got '${twice}' twice`);
}

function csvRow(
  cells: readonly string[],
  header: readonly string[],
  inputs: readonly TensorStatus[],
  line: number,
): Row {
  const columns = inputs.map(({ name }) => header.indexOf(name));
  if (columns.every((column) => column >= 0))
    return Object.fromEntries(
      inputs.map((spec, index) => [spec.name, cell(cells[columns[index] ?? 0] ?? '', spec, line)]),
    );
  const name = onlyInput(inputs, line);
  const spec = inputs[0] as TensorStatus;
  return { [name]: cells.map((text) => cell(text, spec, line)) };
}

function cell(text: string, { datatype, name }: TensorStatus, line: number): unknown {
  if (datatype === 'BYTES') return text;
  if (datatype === 'BOOL') return /^(true|1)$/i.test(text);
  if (datatype.endsWith('INT64') && /^[+-]?\d+$/.test(text)) return BigInt(text);
  const number = text === '' ? NaN : Number(text);
  if (!Number.isNaN(number) || /^(nan)?$/i.test(text)) return number;
  throw new PartituraError(
    'DATATYPE_MISMATCH',
    `line ${line}: expected ${datatype} for '${name}', got '${text}'`,
  );
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
