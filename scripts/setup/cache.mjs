// Cache of complete folders: each is built in a draft folder and renamed when done, so that an interrupted setup leaves
// no partial folder. Of two concurrent setups the first to finish wins, and the other draft is discarded.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from './paths.mjs';
import { isAlive } from './processes.mjs';

const drafts = new Set();
process.on('exit', () => drafts.forEach((draft) => rmSync(draft, { recursive: true, force: true })));

export const cachedPath = (name) => join(cacheDir, name);

/** Returns the cached folder `name`, building it with `make(draftFolder)` if it does not exist. */
export async function cached(name, make) {
  const path = cachedPath(name);
  if (existsSync(path)) return path;
  mkdirSync(cacheDir, { recursive: true });
  removeAbandonedDrafts();
  const draft = mkdtempSync(join(cacheDir, `draft-${process.pid}-`));
  drafts.add(draft);
  try {
    await make(draft);
    publish(draft, path);
  } finally {
    rmSync(draft, { recursive: true, force: true });
    drafts.delete(draft);
  }
  return path;
}

function publish(draft, path) {
  try {
    renameSync(draft, path);
  } catch (error) {
    if (!existsSync(path)) throw error;
  }
}

function removeAbandonedDrafts() {
  for (const name of readdirSync(cacheDir)) {
    const owner = /^draft-(\d+)-/.exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) rmSync(join(cacheDir, name), { recursive: true });
  }
}
