/** Runs tasks one after the other, in the order in which they came; one that fails holds up none of those behind it. */
export class SerialQueue {
  #previous: Promise<unknown> = Promise.resolve();

  /** @returns what the task returns, or rejects with what it throws */
  run<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#previous.then(task);
    this.#previous = done.catch(() => undefined);
    return done;
  }
}
