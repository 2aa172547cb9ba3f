// TypeScript to dist/. The compiler is incremental, but even asking it costs seconds: an unchanged tree is skipped.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { root } from './paths.mjs';
import { run } from './run.mjs';
import { fingerprintOf, hashOf, readIfThere, writeWhole } from './stamps.mjs';
import { timed } from './timed.mjs';

const require = createRequire(import.meta.url);
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const dist = join(root, 'dist');
/** Projects that `partitura` runs on, with all that they reference; the pages run in browsers, so nothing imports them. */
const ROOT_PROJECTS = ['cli', 'console/web'];

/** Compiles everything, with checks, for development; else only what `partitura` runs on, without checks. */
export async function compile({ dev, log }) {
  if (isCompiled({ dev })) return;
  const sources = sourcesHash();
  if (dev) await timed(log, 'compiling everything', checkAndEmit);
  else await timed(log, 'compiling the command line', emitProduct);
  writeWhole(stampOf(dev), sources);
}

/** The outcome for development serves the command line as well. */
export function isCompiled({ dev }) {
  const sources = sourcesHash();
  return (dev ? [true] : [true, false]).some((kind) => readIfThere(stampOf(kind)) === sources);
}

const stampOf = (dev) => join(dist, dev ? '.compiled' : '.compiled-cli');

const sourcesHash = () => hashOf(fingerprintOf(root, (name) => /\.(tsx?|json)$/.test(name)));

const checkAndEmit = () =>
  run(process.execPath, [compiler, '-b', '.'], { what: 'compiling', limitMs: 5 * 60_000 });

/** Strips types file by file: a tenth of the time of a build with checks, which tests do. */
async function emitProduct() {
  const ts = require('typescript');
  const projects = new Set(ROOT_PROJECTS.flatMap((project) => projectsOf(join(root, project))));
  for (const project of projects) {
    const compilerOptions = emitOptionsOf(ts, project);
    for (const path of sourcesIn(project)) {
      const fileName = relative(root, path);
      const output = join(dist, fileName.replace(/\.tsx?$/, '.js'));
      const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), { compilerOptions, fileName });
      mkdirSync(dirname(output), { recursive: true });
      writeFileSync(output, outputText);
      // The other steps of the set-up start their programs meanwhile.
      await setImmediate();
    }
  }
}

/** Returns the options of a project for emitting its files one by one. */
function emitOptionsOf(ts, project) {
  const optionsIn = (file) => ts.readConfigFile(file, ts.sys.readFile).config.compilerOptions;
  const own = optionsIn(join(project, 'tsconfig.json'));
  const { options } = ts.convertCompilerOptionsFromJson(
    { ...optionsIn(join(root, 'tsconfig.base.json')), ...own },
    root,
  );
  return { ...options, module: ts.ModuleKind.ESNext, sourceMap: false, isolatedModules: true };
}

/** Returns the folders of a TypeScript project and of all that it references. */
function projectsOf(folder, known = new Set()) {
  if (known.has(folder)) return [];
  known.add(folder);
  const { references = [] } = JSON.parse(readFileSync(join(folder, 'tsconfig.json'), 'utf8'));
  return [folder, ...references.flatMap(({ path }) => projectsOf(join(folder, path), known))];
}

function sourcesIn(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => /(?<!\.test|\.d)\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}
