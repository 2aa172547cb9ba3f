import { oneLine, printable, printableJson } from '../core/printable.js';

/** The widest cell: a column is as wide as its widest, in every row. */
const MAX_CELL_CHARACTERS = 120;

/**
 * Writes what a command answers to standard output; all else (progress, logs, hints) goes to standard error. These are the
 * doors through which text leaves: nothing that others wrote commands a terminal or is shown in another order.
 */
export function print(line: string): void {
  process.stdout.write(`${printable(line)}\n`);
}

export function printError(line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}

export function printJson(value: unknown): void {
  const exact = (_: string, entry: unknown): unknown =>
    typeof entry === 'bigint' ? entry.toString() : entry;
  process.stdout.write(`${printableJson(JSON.stringify(value, exact))}\n`);
}

/** Rows under a header, in columns as wide as their widest cell. */
export function table(header: readonly string[], cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map((cell) => oneLine(cell, MAX_CELL_CHARACTERS)));
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(header), ...rows.map(line)].join('\n');
}
