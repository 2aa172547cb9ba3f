import { Busy } from './problems.js';

/** Searches of topics at once: each reads them from the brokers. */
const MAX_RUNNING = 4;

/** Running queries by key: viewers that ask the same at the same time share one answer. */
export class Shared {
  readonly #running = new Map<string, Promise<unknown>>();

  /** @throws Busy if too many different queries run; any error of `query` */
  run<T>(key: string, query: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key);
    if (running) return running as Promise<T>;
    if (this.#running.size >= MAX_RUNNING) throw new Busy('too many searches are running; try again');
    const started = query().finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    return started;
  }
}
