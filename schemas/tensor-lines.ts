import type { Datatype } from './datatypes.js';
import type { Tensor } from './generated.js';
import { decodeElements } from './tensor.js';

/**
 * Writes a JSON line for each row of tensors: values by name, without the first dimension. 64-bit integers keep all digits;
 * numbers that JSON lacks are written as `NaN`, `Infinity` and `-Infinity`, FP16 as its bits.
 */
export function linesOf(outputs: readonly Tensor[]): string {
  const columns = outputs.map((output) => ({ name: output.name, rows: rowsOf(output) }));
  const count = columns[0]?.rows.length ?? 0;
  const lines: string[] = [];
  for (let row = 0; row < count; row++)
    lines.push(`${toJson(Object.fromEntries(columns.map(({ name, rows }) => [name, rows[row]])))}\n`);
  return lines.join('');
}

function rowsOf(output: Tensor): unknown[] {
  const { datatype, data, shape, name } = output;
  const type = datatype === 'FP16' ? 'UINT16' : (datatype as Datatype);
  const elements: readonly unknown[] = decodeElements(type, data, name);
  const [rows = 1, ...rest] = shape;
  const perRow = rows === 0 ? 0 : elements.length / rows;
  return Array.from({ length: rows }, (_, row) =>
    nested(elements.slice(row * perRow, (row + 1) * perRow), rest),
  );
}

function nested(elements: readonly unknown[], [size, ...rest]: readonly number[]): unknown {
  if (size === undefined) return elements[0];
  const step = size === 0 ? 0 : elements.length / size;
  return Array.from({ length: size }, (_, index) =>
    nested(elements.slice(index * step, (index + 1) * step), rest),
  );
}

/** Writes 64-bit integers with all digits and numbers that JSON lacks as their names. */
function toJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value as Record<string, unknown>)
      .map(([name, one]) => `${JSON.stringify(name)}:${toJson(one)}`)
      .join(',')}}`;
  return JSON.stringify(value);
}
