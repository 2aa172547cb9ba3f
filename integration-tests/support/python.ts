import { join } from 'node:path';
import { INSTALL_LIMIT_MS } from './example-clients.js';
import { missing, ROOT, run } from './programs.js';

/** Scripts that call the gateway, and the packages that they need. */
export const SCRIPTS = join(ROOT, 'integration-tests/gateway/python');

/** Reason why no Python environment can be made; undefined if one can. */
export const noPython = await missing(
  ['python3', '-m', 'venv', '--help'],
  ['python3', '-m', 'pip', '--version'],
);

/** A Python environment, or the reason why it lacks its packages. */
export interface PythonEnvironment {
  readonly python: string;
  readonly notInstalled: string | undefined;
}

/** Creates an environment in a folder. @param installs options of `pip install`, one list for each call */
export async function createPython(
  folder: string,
  installs: readonly (readonly string[])[],
): Promise<PythonEnvironment> {
  const environment = join(folder, 'venv');
  const python = join(environment, 'bin/python');
  const made = await run('python3', ['-m', 'venv', environment]);
  if (made.code !== 0)
    return { python, notInstalled: `python3 -m venv failed: ${made.stdout}${made.stderr}` };
  for (const options of installs) {
    const pip = ['-m', 'pip', 'install', '-q', '--no-compile', '--disable-pip-version-check', ...options];
    const { code, stderr } = await run(python, pip, { limitMs: INSTALL_LIMIT_MS });
    if (code !== 0) return { python, notInstalled: `pip cannot install the packages: ${stderr}` };
  }
  return { python, notInstalled: undefined };
}
