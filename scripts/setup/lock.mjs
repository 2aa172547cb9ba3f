// One set-up at a time changes a checkout (node_modules, dist); others wait for it and then find nothing to do.
import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from './errors.mjs';
import { stateDir } from './paths.mjs';
import { isAlive } from './processes.mjs';
import { readIfThere } from './stamps.mjs';

const lockPath = join(stateDir, 'setup.lock');
const limitMs = 20 * 60_000;
let held = false;
process.on('exit', release);

export async function withCheckoutLocked(log, work) {
  await acquire(log);
  try {
    return await work();
  } finally {
    release();
  }
}

async function acquire(log) {
  const start = Date.now();
  for (let tries = 0; !tryToAcquire(); tries += 1) {
    if (tries === 0)
      log(`waiting for another set-up of this checkout (process ${readIfThere(lockPath)}) to end`);
    if (Date.now() - start > limitMs)
      throw new SetupError(
        `another set-up has held ${lockPath} for ${limitMs / 60_000} minutes; end it, or remove that file`,
      );
    await sleep(200);
  }
}

/** Linking a finished file makes the lock appear with its owner's process id inside, never empty. */
function tryToAcquire() {
  mkdirSync(stateDir, { recursive: true });
  removeIfAbandoned();
  const draft = `${lockPath}.${process.pid}`;
  writeFileSync(draft, String(process.pid));
  try {
    linkSync(draft, lockPath);
    held = true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return held;
}

function removeIfAbandoned() {
  const owner = readIfThere(lockPath);
  if (owner !== undefined && !isAlive(Number(owner))) rmSync(lockPath, { force: true });
}

function release() {
  if (held) rmSync(lockPath, { force: true });
  held = false;
}
