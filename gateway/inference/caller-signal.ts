import type { RequestSignal } from '../../producers/reply-router.js';

/** An AbortSignal at a tenth of its cost: every call has one, and few are abandoned. */
export class CallerSignal implements RequestSignal {
  readonly #listeners = new Set<() => void>();
  #reason: Error | undefined;

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  get reason(): Error | undefined {
    return this.#reason;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /** Calls the listeners; the first reason stays. */
  abort(reason: Error): void {
    if (this.aborted) return;
    this.#reason = reason;
    for (const listener of this.#listeners) listener();
  }
}
