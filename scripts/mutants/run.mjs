// Applies mutants to a copy of the checkout, one at a time, and checks that tests detect them.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SetupError } from '../setup/errors.mjs';
import { root } from '../setup/paths.mjs';
import { run } from '../setup/run.mjs';
import { MUTANTS } from './mutants.mjs';

const limitMs = 5 * 60_000;
const notCopied = new Set(['.git', 'node_modules']);

/** Resolves true if the tests pass without mutants and fail on every mutant. */
export async function runMutants(log) {
  const copy = mkdtempSync(join(tmpdir(), 'partitura-mutants-'));
  try {
    cpSync(root, copy, { recursive: true, filter: (path) => !notCopied.has(path.slice(root.length + 1)) });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    const tests = [...new Set(MUTANTS.flatMap((mutant) => mutant.tests))];
    if (!(await pass(copy, tests))) throw new SetupError('the tests must pass without mutants');
    let survivors = 0;
    for (const mutant of MUTANTS) {
      const isDetected = await detects(copy, mutant);
      log(`promise ${mutant.promise}: ${mutant.breaks}: ${isDetected ? 'detected' : 'NOT DETECTED'}`);
      if (!isDetected) survivors++;
    }
    log(`${MUTANTS.length - survivors} of ${MUTANTS.length} mutants detected`);
    return survivors === 0;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function detects(copy, { edits, tests, breaks }) {
  const originals = new Map();
  try {
    for (const [file, from, to] of edits) {
      const path = join(copy, file);
      const text = readFileSync(path, 'utf8');
      if (!originals.has(path)) originals.set(path, text);
      if (text.split(from).length !== 2)
        throw new SetupError(
          `${breaks}: expected one occurrence in ${file}, got ${text.split(from).length - 1}: ${from}`,
        );
      writeFileSync(
        path,
        text.replace(from, () => to),
      );
    }
    await compile(copy);
    return !(await pass(copy, tests));
  } finally {
    for (const [path, text] of originals) writeFileSync(path, text);
    await compile(copy);
  }
}

const compile = (cwd) =>
  run(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-b'], {
    what: 'compiling a mutant',
    limitMs,
    cwd,
  });

async function pass(cwd, tests) {
  const files = tests.map((file) => join('dist', file.replace(/\.ts$/, '.js')));
  try {
    await run(process.execPath, ['--test', '--test-timeout=60000', ...files], {
      what: 'testing a mutant',
      limitMs,
      cwd,
    });
    return true;
  } catch (error) {
    if (error instanceof SetupError) return false;
    throw error;
  }
}
