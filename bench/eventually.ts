import { sleep } from '../core/time.js';

const PAUSE_MS = 200;

/** Polls until the condition holds. @throws Error if it does not hold within the limit */
export async function eventually(
  subject: string,
  limitMs: number,
  condition: () => Promise<boolean>,
): Promise<void> {
  for (const deadline = Date.now() + limitMs; !(await condition()); await sleep(PAUSE_MS)) {
    if (Date.now() >= deadline) throw new Error(`${subject}: condition not met within ${limitMs} ms`);
  }
}
