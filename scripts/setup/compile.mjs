// Compiles TypeScript to dist/. Even an incremental run of the compiler takes seconds, so it is skipped on an unchanged tree.
import { join } from 'node:path';
import { root } from './paths.mjs';
import { run } from './run.mjs';
import { fingerprintOf, hashOf, readIfThere, writeWhole } from './stamps.mjs';

const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

/** Compiles everything for development, otherwise only the sources of `partitura`. Throws with the compiler output. */
export async function compile({ dev, log }) {
  const project = dev ? '.' : 'cli';
  if (isCompiled({ dev })) return;
  log(`compiling (${dev ? 'everything' : 'command line only'})`);
  const sources = sourcesHash();
  await run(process.execPath, [compiler, '-b', project], { what: 'compiling', limitMs: 5 * 60_000 });
  writeWhole(stampOf(project), sources);
}

/** Returns true if the sources are compiled; a development build includes the command line. */
export function isCompiled({ dev }) {
  const sources = sourcesHash();
  return (dev ? ['.'] : ['.', 'cli']).some((project) => readIfThere(stampOf(project)) === sources);
}

const stampOf = (project) => join(root, 'dist', project === '.' ? '.compiled' : `.compiled-${project}`);

const sourcesHash = () => hashOf(fingerprintOf(root, (name) => /\.(ts|json)$/.test(name)));
