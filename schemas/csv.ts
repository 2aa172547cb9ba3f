import { parse } from 'csv-parse';
import type { Readable } from 'node:stream';
import type { Datatype } from './datatypes.js';
import { invalidRequest, PartituraError } from './errors.js';
import type { Element } from './tensor.js';

/** A record of a CSV file by column, in the order of the columns: an object would move names that are numbers to the front. */
export type CsvRecord = ReadonlyMap<string, string>;

/**
 * Parses CSV with a header line (RFC 4180).
 * @param maxBytes largest record
 * @throws PartituraError INVALID_REQUEST with the line
 */
export async function* csvRecords(source: Readable, maxBytes: number): AsyncGenerator<CsvRecord> {
  const options = { bom: true, trim: true, skip_empty_lines: true, max_record_size: maxBytes };
  const parser = source.pipe(parse(options));
  // `pipe` leaves errors of its source to nobody.
  source.once('error', (error) => parser.destroy(error));
  let header: readonly string[] | undefined;
  try {
    for await (const cells of parser as AsyncIterable<readonly string[]>) {
      if (header) yield new Map(header.map((name, column) => [name, cells[column] ?? '']));
      else header = checkHeader(cells);
    }
  } catch (cause) {
    if (cause instanceof PartituraError) throw cause;
    throw new PartituraError('INVALID_REQUEST', `CSV: ${(cause as Error).message}`, { cause });
  }
}

function checkHeader(names: readonly string[]): readonly string[] {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return names;
  throw invalidRequest(`CSV: expected each column once, got '${twice}' twice`);
}

/**
 * Reads an element of a tensor from the text of a cell. An empty one is no number.
 * @param field names the cell in errors
 * @throws PartituraError DATATYPE_MISMATCH
 */
export function elementOf(text: string, datatype: Datatype, field: string): Element {
  if (datatype === 'BYTES') return text;
  if (datatype === 'BOOL') return booleanOf(text, field);
  const isWhole = datatype.includes('INT');
  if (isWhole && /^[+-]?\d+$/.test(text)) return BigInt(text);
  const number = text === '' ? NaN : Number(text);
  if (!isWhole && (!Number.isNaN(number) || /^nan$/i.test(text))) return number;
  throw new PartituraError('DATATYPE_MISMATCH', `${field}: expected ${datatype}, got '${text}'`);
}

function booleanOf(text: string, field: string): boolean {
  if (/^(true|1)$/i.test(text)) return true;
  if (/^(false|0)$/i.test(text)) return false;
  throw new PartituraError('DATATYPE_MISMATCH', `${field}: expected true or false, got '${text}'`);
}
