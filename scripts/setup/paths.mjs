// Folders of the setup: the checkout, its private state, and a cache shared by all checkouts.
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(fileURLToPath(new URL('../..', import.meta.url)));

/** State of this checkout alone; ignored by git. */
export const stateDir = join(root, '.partitura');

export const cacheDir = resolve(
  process.env.PARTITURA_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'partitura'),
);
