// The npm packages, exactly as package-lock.json names them.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { run } from './run.mjs';
import { readIfThere } from './stamps.mjs';
import { timed } from './timed.mjs';

const lockfile = join(root, 'package-lock.json');
// npm writes this file last, when everything is in place, so it says what is truly installed.
const installedLockfile = join(root, 'node_modules', '.package-lock.json');

export async function installDependencies(log) {
  if (isInstalled()) return;
  // TypeScript is among the development packages, so they are needed even where NODE_ENV says production.
  const args = ['ci', '--include=dev', '--no-progress', '--no-audit', '--no-fund', '--prefer-offline'];
  await timed(log, 'installing the npm packages', () =>
    run('npm', args, { what: 'installing the npm packages', limitMs: 10 * 60_000 }),
  );
}

export function isInstalled() {
  const installed = packagesOf(readIfThere(installedLockfile));
  return Object.entries(packagesOf(readIfThere(lockfile))).every(([path, wanted]) => {
    if (path === '') return Object.keys(installed).length > 0;
    const present = installed[path];
    // Optional packages are those of other platforms.
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
