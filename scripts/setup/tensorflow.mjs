// TensorFlow for Node. On linux-x64 from package registries alone; elsewhere by the package's own install step.
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
import { timed } from './timed.mjs';

const packageDir = join(root, 'node_modules', '@tensorflow', 'tfjs-node');
// Inside the package: a fresh npm ci takes it away together with what it vouches for.
const stamp = join(packageDir, 'lib', '.proven');

export const isWanted = () => process.env.PARTITURA_ENGINE !== 'wasm';

export const isBuiltHere = process.platform === 'linux' && process.arch === 'x64';

/** Returns true if nothing has to be downloaded or compiled. */
export function haveTensorFlow() {
  if (!existsSync(packageDir)) return false;
  if (!isBuiltHere) return isProven();
  return existsSync(cachedPath(libraryCacheName)) && existsSync(cachedPath(addonCacheName(packageDir)));
}

export function isProven() {
  return existsSync(packageDir) && readIfThere(stamp) === proofOf();
}

/**
 * Downloads TensorFlow while the npm packages are installed, then compiles the addon. Without TensorFlow the WebAssembly
 * backend serves, more slowly and without SavedModels: reported, never a failure.
 * @param packages settles when the npm packages are installed
 */
export async function setUpTensorFlow(log, packages) {
  if (!isWanted()) return;
  const library = isBuiltHere ? fetchLibrary(log) : undefined;
  library?.catch(() => undefined);
  await packages;
  if (isProven()) return;
  try {
    await (library ? build(await library, log) : useOwnInstallStep(log));
    await prove();
    writeWhole(stamp, proofOf());
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    log(`TensorFlow is not available: ${error.message}`);
    log(
      'falling back to WebAssembly, which is slower and does not support SavedModels (PARTITURA_ENGINE=wasm skips this step)',
    );
  }
}

async function build(library, log) {
  const addon = await buildAddon({ packageDir, library, log });
  linkIntoPackage({ packageDir, library, addon });
}

async function useOwnInstallStep(log) {
  const args = ['rebuild', '@tensorflow/tfjs-node', '--ignore-scripts=false'];
  await timed(log, "installing TensorFlow with its package's install script", () =>
    run('npm', args, { what: 'installing TensorFlow', limitMs: 15 * 60_000 }),
  );
}

/** A library that loads may still not compute: multiply two matrices in a process that may crash. */
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
