// TypeScript to dist/. The compiler is incremental, but even asking it costs seconds: an unchanged tree is not asked.
import { join } from 'node:path';
import { root } from './paths.mjs';
import { run } from './run.mjs';
import { fingerprintOf, hashOf, readIfThere, writeWhole } from './stamps.mjs';

const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

/** Compiles everything for development, else what `partitura` runs on. Throws with the compiler's findings. */
export async function compile({ dev, log }) {
  const project = dev ? '.' : 'cli';
  if (isCompiled({ dev })) return;
  log(`compiling (${dev ? 'everything' : 'what the command line needs'})`);
  const sources = sourcesHash();
  await run(process.execPath, [compiler, '-b', project], { what: 'compiling', limitMs: 5 * 60_000 });
  writeWhole(stampOf(project), sources);
}

/** What is compiled for development serves the command line, too. */
export function isCompiled({ dev }) {
  const sources = sourcesHash();
  return (dev ? ['.'] : ['.', 'cli']).some((project) => readIfThere(stampOf(project)) === sources);
}

const stampOf = (project) => join(root, 'dist', project === '.' ? '.compiled' : `.compiled-${project}`);

const sourcesHash = () => hashOf(fingerprintOf(root, (name) => /\.(ts|json)$/.test(name)));
