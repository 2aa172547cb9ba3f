/** Runs tasks one at a time, in order of submission; a failed task does not block later ones. */
export class SerialQueue {
  #previous: Promise<unknown> = Promise.resolve();

  /** @returns the task's result, or rejects with its error */
  run<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#previous.then(task);
    this.#previous = done.catch(() => undefined);
    return done;
  }
}
