import { copyFileSync, linkSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { addonFile } from './tensorflow-addon.mjs';

/** Places the libraries, headers and addon where the npm package expects them. */
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
  // The package treats this name as "already downloaded".
  symlinkSync('libtensorflow_cc.so.2', join(to, 'libtensorflow.so.2.9.1'));
}

/** Places a file by hard link, which takes no space and outlives the cache, or by copy across file systems. */
function place(from, to) {
  try {
    linkSync(from, to);
  } catch (error) {
    if (error.code !== 'EXDEV' && error.code !== 'EPERM' && error.code !== 'EMLINK') throw error;
    copyFileSync(from, to);
  }
}
