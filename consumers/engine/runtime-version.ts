import { createRequire } from 'node:module';
import type { Backend } from './engine.js';
import { FORMATS } from './formats.js';

const require = createRequire(import.meta.url);

const PACKAGES: Readonly<Record<Backend, string>> = Object.fromEntries(
  Object.values(FORMATS).flatMap(({ runtime }) => Object.entries(runtime.packages)),
);

/** Returns the package name and version of a runtime. */
export function runtimeName(backend: Backend): string {
  return `${PACKAGES[backend]} ${runtimeVersion(backend)}`;
}

/** Returns the package version of a runtime, or `unknown`. */
export function runtimeVersion(backend: Backend): string {
  if (PACKAGES[backend] === 'node') return process.versions.node;
  try {
    const { version } = require(`${PACKAGES[backend]}/package.json`) as { version?: string };
    return version ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
