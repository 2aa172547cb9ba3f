/** Resolves with the first SIGINT or SIGTERM; a parent that goes away counts as one. Later ones change nothing. */
export function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    process.on('SIGINT', () => resolve('SIGINT'));
    process.on('SIGTERM', () => resolve('SIGTERM'));
    if (process.connected) process.on('disconnect', () => resolve('the parent process went away'));
  });
}

/** Lets go of the parent: a process with an open channel to it does not end by itself. */
export function releaseParent(): void {
  if (process.connected) process.disconnect();
}
