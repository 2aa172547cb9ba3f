// Allows one setup at a time per checkout (node_modules, dist); others wait for it and then find all steps completed.
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
    if (tries === 0) log(`waiting for another setup of this checkout (process ${readIfThere(lockPath)})`);
    if (Date.now() - start > limitMs)
      throw new SetupError(
        `another setup has held ${lockPath} for ${limitMs / 60_000} minutes: stop it or remove that file`,
      );
    await sleep(200);
  }
}

/** Tries to acquire the lock by linking a complete file, so that the lock always contains the process id of its owner. */
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
