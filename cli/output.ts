import { oneLine, printable, printableJson } from '../core/printable.js';

/** Limit on cells, since the widest one sets the width of its column. */
const MAX_CELL_CHARACTERS = 120;

/**
 * Prints the result of a command to standard output; everything else (progress, logs, hints) goes to standard error. All
 * output passes these functions, so that text from records cannot control the terminal or be reordered.
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

/** Formats rows under a header, in aligned columns. */
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
