/** Grace period for resources that close on their own once the work is done. */
const LINGER_MS = 500;

/** Returns a signal that aborts with the first SIGINT, SIGTERM or disconnect of the parent. Later ones are ignored. */
export function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  const stop = (reason: string): void => stopping.abort(new Stopped(reason));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGTERM', () => stop('SIGTERM'));
  if (process.connected) process.on('disconnect', () => stop('disconnect of the parent process'));
  return stopping.signal;
}

/** The abort reason of a stop signal. */
export class Stopped extends Error {
  constructor(readonly by: string) {
    super(`stopped by ${by}`);
  }
}

/** Resolves with the cause of the stop, such as SIGTERM. */
export function stopped(signal: AbortSignal): Promise<string> {
  const by = (): string => (signal.reason as Stopped).by;
  if (signal.aborted) return Promise.resolve(by());
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(by()), { once: true }));
}

/** Awaits `work`; returns undefined if the stop signal aborted it. */
export async function unlessStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!signal.aborted) throw error;
    return undefined;
  }
}

/** Disconnects from the parent, since an open channel keeps the process alive. */
export function releaseParent(): void {
  if (process.connected) process.disconnect();
}

/** Exits once all work is done, without waiting for idle resources. */
export function exitSoon(): void {
  setTimeout(endNow, LINGER_MS).unref();
}

/** Exits after a time limit, regardless of pending work. */
export function exitWithin(ms: number, onLate: () => void): void {
  setTimeout(() => {
    onLate();
    endNow();
  }, ms).unref();
}

/**
 * Exits immediately. `process.exit` waits for threads in native code, such as one that loads a large model; the default
 * action of SIGTERM does not.
 */
function endNow(): void {
  const hasThreads = process.getActiveResourcesInfo().includes('MessagePort');
  if (!hasThreads) process.exit();
  process.removeAllListeners('SIGTERM');
  process.kill(process.pid, 'SIGTERM');
}
