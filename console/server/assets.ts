import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** A file that pages load. */
export interface Asset {
  readonly type: string;
  readonly content: Buffer;
  readonly gzipped: Buffer;
}

/** All files that pages load, in memory, below a path that changes with their content. */
export interface Assets {
  /** Path of all assets, for example `/console/assets/0123456789ab`. */
  readonly base: string;
  readonly files: ReadonlyMap<string, Asset>;
}

const COMPILED = fileURLToPath(new URL('../web/', import.meta.url));
/** Style sheets and the icon are not compiled. */
const SOURCES = fileURLToPath(new URL('../../../console/web/', import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Modules of packages by the name under which pages import them. */
const PACKAGES: Readonly<Record<string, string>> = {
  preact: 'preact',
  'preact/hooks': 'preact/hooks',
  'preact/jsx-runtime': 'preact/jsx-runtime',
  '@preact/signals': '@preact/signals',
  '@preact/signals-core': '@preact/signals-core',
};

/** Reads the files once; they are small, and pages must not wait for the disk. */
export function loadAssets(): Assets {
  const files = new Map<string, Asset>();
  const add = (name: string, content: string | Buffer): void => {
    const bytes = Buffer.from(content);
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
    files.set(name, { type, content: bytes, gzipped: gzipSync(bytes, { level: 9 }) });
  };
  for (const name of filesIn(COMPILED, '.js')) add(name, readFileSync(join(COMPILED, name)));
  for (const name of [...filesIn(SOURCES, '.css'), ...filesIn(SOURCES, '.svg')])
    add(name, readFileSync(join(SOURCES, name)));
  for (const [name, specifier] of Object.entries(PACKAGES)) add(packageFile(name), moduleText(specifier));
  const plot = import.meta.resolve('uplot');
  // The minified build is a script; an export makes it a module at half the size of the package's own one.
  const script = readFileSync(fileURLToPath(new URL('uPlot.iife.min.js', plot)), 'utf8');
  add(packageFile('uplot'), `${script}\nexport default uPlot;\n`);
  add('packages/uplot.css', readFileSync(fileURLToPath(new URL('uPlot.min.css', plot))));
  return { base: `/console/assets/${hashOf(files)}`, files };
}

/** Returns the import map of the pages. */
export function importMap({ base }: Assets): string {
  const names = [...Object.keys(PACKAGES), 'uplot'];
  const imports = Object.fromEntries(names.map((name) => [name, `${base}/${packageFile(name)}`]));
  return JSON.stringify({ imports });
}

function packageFile(name: string): string {
  return `packages/${name.replace('@', '').replaceAll('/', '-')}.js`;
}

function moduleText(specifier: string): string {
  const text = readFileSync(fileURLToPath(import.meta.resolve(specifier)), 'utf8');
  return text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
}

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith(ending) && !name.endsWith(`.test${ending}`))
    .sort();
}

function hashOf(files: ReadonlyMap<string, Asset>): string {
  const hash = createHash('sha256');
  for (const [name, { content }] of files) hash.update(`${name}\n`).update(content);
  return hash.digest('hex').slice(0, 12);
}
