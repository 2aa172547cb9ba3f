// Creates Python environments for the benchmark and the long tests in the cache.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { run } from './run.mjs';

export const limitMs = 30 * 60_000;

/**
 * Returns the Python of an environment with the packages of the file `requirements`.
 * `announcement` is logged before they are fetched; `what` names them in errors.
 */
export async function preparePython(name, requirements, { what, announcement, log }) {
  const environment = await cached(`${name}-python-${digest(requirements)}`, async (draft) => {
    log(announcement);
    await run('python3', ['-m', 'venv', draft], { what: 'creating a Python environment', limitMs });
    await run(pythonOf(draft), ['-m', 'pip', 'install', '--quiet', '-r', requirements], {
      what: `installing ${what}`,
      limitMs,
    });
  });
  return pythonOf(environment);
}

/** Returns a short hash of the content of files. */
export function digest(...files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

const pythonOf = (environment) => join(environment, 'bin', 'python');
