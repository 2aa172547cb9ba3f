import { sleep } from '../core/time.js';

const PAUSE_MS = 200;

/** Asks until it is so. @throws Error when it is not within the limit */
export async function eventually(what: string, limitMs: number, isSo: () => Promise<boolean>): Promise<void> {
  for (const giveUpAt = Date.now() + limitMs; !(await isSo()); await sleep(PAUSE_MS)) {
    if (Date.now() >= giveUpAt) throw new Error(`${what}: not there within ${limitMs} ms`);
  }
}
