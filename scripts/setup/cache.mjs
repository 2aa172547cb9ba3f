// The cache holds only whole things: each is made in a draft folder and renamed when done, so that an interrupted
// set-up leaves no half, and of two set-ups at once the first to finish wins and the other's draft is dropped.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from './paths.mjs';
import { isAlive } from './processes.mjs';

const drafts = new Set();
process.on('exit', () => drafts.forEach((draft) => rmSync(draft, { recursive: true, force: true })));

export const cachedPath = (name) => join(cacheDir, name);

/** Returns the cached folder `name`, first making it with `make(draftFolder)` when it is not there. */
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
