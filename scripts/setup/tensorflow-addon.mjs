// Compiles the native addon of @tensorflow/tfjs-node from the sources in its npm package.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { SetupError } from './errors.mjs';
import { root } from './paths.mjs';
import { run } from './run.mjs';
import { hashOf } from './stamps.mjs';
import { patch, patches } from './tensorflow-patches.mjs';
import { libraryCacheName } from './tensorflow-library.mjs';

const nodeHeaders = join(root, 'node_modules', 'node-api-headers', 'include');
const flags = ['-shared', '-fPIC', '-O2', '-std=c++17', '-w'];
const defines = ['-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=tfjs_binding', '-DBUILDING_NODE_EXTENSION'];
// The addon finds its libraries relative to itself, wherever node_modules is.
const links = [
  '-ltensorflow',
  '-ltensorflow_framework',
  '-Wl,-rpath,$ORIGIN/../../deps/lib',
  '-Wl,-z,origin',
];

export const addonFile = 'tfjs_binding.node';

export function addonCacheName(packageDir) {
  const sources = readdirSync(join(packageDir, 'binding')).map((name) =>
    readFileSync(join(packageDir, 'binding', name)),
  );
  return `tfjs-node-addon-${hashOf(libraryCacheName, ...flags, ...defines, ...links, JSON.stringify(patches), ...sources).slice(0, 16)}`;
}

/** Returns the cached folder that holds the compiled addon. */
export function buildAddon({ packageDir, library, log }) {
  return cached(addonCacheName(packageDir), async (draft) => {
    log('compiling the TensorFlow addon for Node');
    const sources = copyPatched(join(packageDir, 'binding'), join(draft, 'source'));
    nameLibraries(join(library, 'tensorflow'), join(draft, 'link'));
    await compile({ draft, sources, include: join(library, 'tensorflow', 'include') });
    ['source', 'link'].forEach((folder) => rmSync(join(draft, folder), { recursive: true }));
  });
}

function copyPatched(from, to) {
  mkdirSync(to);
  for (const name of readdirSync(from)) copyFileSync(join(from, name), join(to, name));
  const backend = join(to, 'tfjs_backend.cc');
  writeFileSync(backend, patch(readFileSync(backend, 'utf8')));
  return readdirSync(to)
    .filter((name) => name.endsWith('.cc'))
    .map((name) => join(to, name));
}

/** Links the libraries under the names that the linker expects. */
function nameLibraries(from, to) {
  mkdirSync(to);
  symlinkSync(join(from, 'libtensorflow_cc.so.2'), join(to, 'libtensorflow.so'));
  symlinkSync(join(from, 'libtensorflow_framework.so.2'), join(to, 'libtensorflow_framework.so'));
}

async function compile({ draft, sources, include }) {
  if (!existsSync(nodeHeaders))
    throw new SetupError('the npm package node-api-headers is missing: run npm ci');
  const includes = [nodeHeaders, include, join(draft, 'source'), draft].map((folder) => `-I${folder}`);
  const args = [
    ...flags,
    ...defines,
    ...includes,
    ...sources,
    `-L${join(draft, 'link')}`,
    ...links,
    '-o',
    join(draft, addonFile),
  ];
  await run('g++', args, { what: 'compiling the TensorFlow addon', limitMs: 5 * 60_000 });
}
