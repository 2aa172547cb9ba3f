import { copyFileSync, linkSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { addonFile } from './tensorflow-addon.mjs';

/** Puts the libraries, the headers and the addon where the npm package looks for them. */
export function linkIntoPackage({ packageDir, library, addon }) {
  const deps = join(packageDir, 'deps');
  rmSync(deps, { recursive: true, force: true });
  rmSync(join(packageDir, 'lib'), { recursive: true, force: true });
  placeLibraries(join(library, 'tensorflow'), join(deps, 'lib'));
  symlinkSync(join(library, 'tensorflow', 'include'), join(deps, 'include'));
  mkdirSync(join(packageDir, 'lib', 'napi-v8'), { recursive: true });
  place(join(addon, addonFile), join(packageDir, 'lib', 'napi-v8', addonFile));
}

function placeLibraries(from, to) {
  mkdirSync(to, { recursive: true });
  place(join(from, 'libtensorflow_cc.so.2'), join(to, 'libtensorflow_cc.so.2'));
  place(join(from, 'libtensorflow_framework.so.2'), join(to, 'libtensorflow_framework.so.2'));
  symlinkSync('libtensorflow_cc.so.2', join(to, 'libtensorflow.so'));
  symlinkSync('libtensorflow_framework.so.2', join(to, 'libtensorflow_framework.so'));
  // The package takes this name for "already downloaded".
  symlinkSync('libtensorflow_cc.so.2', join(to, 'libtensorflow.so.2.9.1'));
}

/** A hard link costs no space and outlives the cache; another file system needs a copy. */
function place(from, to) {
  try {
    linkSync(from, to);
  } catch (error) {
    if (error.code !== 'EXDEV' && error.code !== 'EPERM' && error.code !== 'EMLINK') throw error;
    copyFileSync(from, to);
  }
}
