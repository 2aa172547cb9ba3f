/** Longer than anything takes that ends by itself once the work is done. */
const LINGER_MS = 500;

/** Aborts with the first SIGINT or SIGTERM; a parent that goes away counts as one. Later ones change nothing. */
export function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  const stop = (reason: string): void => stopping.abort(new Stopped(reason));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGTERM', () => stop('SIGTERM'));
  if (process.connected) process.on('disconnect', () => stop('the parent process went away'));
  return stopping.signal;
}

/** The reason of a stop signal: what it stops fails with it. */
export class Stopped extends Error {
  constructor(readonly by: string) {
    super(`stopped by ${by}`);
  }
}

/** Resolves with what stopped the command, such as SIGTERM. */
export function stopped(signal: AbortSignal): Promise<string> {
  const by = (): string => (signal.reason as Stopped).by;
  if (signal.aborted) return Promise.resolve(by());
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(by()), { once: true }));
}

/** Waits for `work`; returns undefined when the stop signal ended it. */
export async function unlessStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!signal.aborted) throw error;
    return undefined;
  }
}

/** Lets go of the parent: a process with an open channel to it does not end by itself. */
export function releaseParent(): void {
  if (process.connected) process.disconnect();
}

/** Ends the process when all its work is done: what lingers then is of no use to anybody. */
export function exitSoon(): void {
  setTimeout(endNow, LINGER_MS).unref();
}

/** Ends the process when it has not come to its end by then, whatever holds it. */
export function exitWithin(ms: number, onLate: () => void): void {
  setTimeout(() => {
    onLate();
    endNow();
  }, ms).unref();
}

/**
 * `process.exit` waits for threads in native code, such as one that loads a large model: the default action of SIGTERM
 * does not.
 */
function endNow(): void {
  const hasThreads = process.getActiveResourcesInfo().includes('MessagePort');
  if (!hasThreads) process.exit();
  process.removeAllListeners('SIGTERM');
  process.kill(process.pid, 'SIGTERM');
}
