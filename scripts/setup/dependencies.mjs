// Installs the npm packages exactly as locked in package-lock.json.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { run } from './run.mjs';
import { readIfThere } from './stamps.mjs';

const lockfile = join(root, 'package-lock.json');
// npm writes this file last, so it lists the packages that are actually installed.
const installedLockfile = join(root, 'node_modules', '.package-lock.json');

export async function installDependencies(log) {
  if (isInstalled()) return;
  log('installing the npm packages');
  // TypeScript is a development dependency, so these are needed even with NODE_ENV=production.
  await run('npm', ['ci', '--include=dev', '--no-progress'], {
    what: 'installing the npm packages',
    limitMs: 10 * 60_000,
  });
}

export function isInstalled() {
  const installed = packagesOf(readIfThere(installedLockfile));
  return Object.entries(packagesOf(readIfThere(lockfile))).every(([path, wanted]) => {
    if (path === '') return Object.keys(installed).length > 0;
    const present = installed[path];
    // Missing optional packages belong to other platforms.
    if (present === undefined) return wanted.optional === true;
    return (
      present.version === wanted.version &&
      present.integrity === wanted.integrity &&
      existsSync(join(root, path))
    );
  });
}

function packagesOf(text) {
  return text === undefined ? {} : JSON.parse(text).packages;
}
