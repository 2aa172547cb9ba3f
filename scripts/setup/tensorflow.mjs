// Installs TensorFlow for Node: on linux-x64 from package registries only, elsewhere by the install script of the package.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cachedPath } from './cache.mjs';
import { SetupError } from './errors.mjs';
import { root } from './paths.mjs';
import { run } from './run.mjs';
import { readIfThere, writeWhole } from './stamps.mjs';
import { addonCacheName, buildAddon } from './tensorflow-addon.mjs';
import { linkIntoPackage } from './tensorflow-link.mjs';
import { fetchLibrary, libraryCacheName } from './tensorflow-library.mjs';

const packageDir = join(root, 'node_modules', '@tensorflow', 'tfjs-node');
// Inside the package, so that npm ci removes it together with the installation that it certifies.
const stamp = join(packageDir, 'lib', '.proven');

export const isWanted = () => process.env.PARTITURA_ENGINE !== 'wasm';

export const isBuiltHere = process.platform === 'linux' && process.arch === 'x64';

/** Returns true if nothing remains to be downloaded or compiled. */
export function haveTensorFlow() {
  if (!existsSync(packageDir)) return false;
  if (!isBuiltHere) return isProven();
  return existsSync(cachedPath(libraryCacheName)) && existsSync(cachedPath(addonCacheName(packageDir)));
}

export function isProven() {
  return existsSync(packageDir) && readIfThere(stamp) === proofOf();
}

/** Installs TensorFlow. A failure is logged and falls back to the WebAssembly backend, which is slower and cannot load SavedModels. */
export async function setUpTensorFlow(log) {
  if (!isWanted() || isProven()) return;
  try {
    await (isBuiltHere ? buildFromRegistries(log) : runInstallScript(log));
    await prove();
    writeWhole(stamp, proofOf());
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    log(`TensorFlow unavailable: ${error.message}`);
    log(
      'falling back to the WebAssembly backend, which is slower and cannot load SavedModels (PARTITURA_ENGINE=wasm skips this step)',
    );
  }
}

async function buildFromRegistries(log) {
  const library = await fetchLibrary(log);
  const addon = await buildAddon({ packageDir, library, log });
  linkIntoPackage({ packageDir, library, addon });
}

async function runInstallScript(log) {
  log('installing TensorFlow with the install script of its package');
  const args = ['rebuild', '@tensorflow/tfjs-node', '--ignore-scripts=false'];
  await run('npm', args, { what: 'installing TensorFlow', limitMs: 15 * 60_000 });
}

/** Multiplies two matrices in a child process that may crash: a library that loads may still fail to compute. */
async function prove() {
  const program = `
    require('util').isNullOrUndefined = (value) => value == null;
    const tf = require('@tensorflow/tfjs-node');
    const product = tf.matMul([[1, 2], [3, 4]], [[5, 6], [7, 8]]).dataSync();
    if (product.join() !== '19,22,43,50') throw new Error('a wrong product: ' + product.join());`;
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' };
  await run(process.execPath, ['-e', program], {
    what: 'multiplying two matrices with TensorFlow',
    limitMs: 60_000,
    env,
  });
}

const proofOf = () => `${process.version} ${isBuiltHere ? addonCacheName(packageDir) : 'own install step'}`;
