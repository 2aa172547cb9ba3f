import type { RequestSignal } from '../../producers/reply-router.js';

/** An AbortSignal at a tenth of its cost: every call has one, and few are abandoned. */
export class CallerSignal implements RequestSignal {
  readonly #listeners = new Set<() => void>();
  #message: string | undefined;

  get aborted(): boolean {
    return this.#message !== undefined;
  }

  get reason(): Error | undefined {
    return this.#message === undefined ? undefined : new Error(this.#message);
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /** Calls the listeners. Takes a message, since an error would be costly where nobody listens any more. */
  abort(message: string): void {
    if (this.aborted) return;
    this.#message = message;
    for (const listener of this.#listeners) listener();
  }
}
