const PROGRESS_MS = 15_000;

/** Logs the start of a step, progress every 15 s, and its time at the end. @returns what `work` resolves with */
export async function timed(log, name, work) {
  const begun = performance.now();
  const seconds = () => `${Math.round((performance.now() - begun) / 1000)} s`;
  log(`${name} …`);
  const timer = setInterval(() => log(`${name}: ${seconds()} so far`), PROGRESS_MS);
  try {
    const result = await work();
    log(`${name}: done in ${seconds()}`);
    return result;
  } finally {
    clearInterval(timer);
  }
}
