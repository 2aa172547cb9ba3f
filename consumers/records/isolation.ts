import type { Logger } from '../../core/log.js';

/** Time for which all records of a topic are suspects after one of them crashed, milliseconds. */
export const ISOLATION_MS = 10 * 60_000;

/** Computes all records of a model in a child process for a while after one of them has crashed its process. */
export class Isolation {
  #until = 0;

  constructor(
    readonly model: string,
    readonly log: Logger,
    /** Milliseconds since the epoch. */
    readonly now: () => number,
  ) {}

  /** Milliseconds since the epoch; 0 before the first crash. */
  get until(): number {
    return this.#until;
  }

  get isActive(): boolean {
    return this.now() < this.#until;
  }

  begin(): void {
    this.extendTo(this.now() + ISOLATION_MS);
  }

  /** Learns of a crash on another node. @param until a time further away than `ISOLATION_MS` is not believed */
  extendTo(until: number): void {
    const believed = Math.min(until, this.now() + ISOLATION_MS);
    if (!this.isActive && believed > this.now()) this.#announce();
    this.#until = Math.max(this.#until, believed);
  }

  #announce(): void {
    this.log.error(
      { model: this.model, minutes: ISOLATION_MS / 60_000 },
      'a request crashed its process; computing all requests of the model in a child process',
    );
  }
}
