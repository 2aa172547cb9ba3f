import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const RESULTS = fileURLToPath(new URL('../../bench/results/', import.meta.url));

/** Writes results with their environment to `bench/results/<name>.json`. */
export function record(name: string, settings: object, results: readonly object[]): void {
  const environment = {
    date: new Date().toISOString().slice(0, 10),
    cores: cpus().length,
    processor: cpus()[0]?.model,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    settings,
  };
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify({ environment, results }, null, 2)}\n`);
}

/**
 * Replaces remeasured rows of recorded results and adds new ones; other rows are kept.
 * @param nameOf returns the identity of a row
 */
export function recordPart<T extends object>(
  name: string,
  results: readonly T[],
  nameOf: (row: T) => string,
): void {
  const file = join(RESULTS, `${name}.json`);
  if (!existsSync(file)) return record(name, {}, results);
  const recorded = JSON.parse(readFileSync(file, 'utf8')) as { readonly results: readonly T[] };
  const rows = new Map([...recorded.results, ...results].map((row) => [nameOf(row), row]));
  writeFileSync(file, `${JSON.stringify({ ...recorded, results: [...rows.values()] }, null, 2)}\n`);
}
