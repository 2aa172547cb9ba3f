import { NoReplyError } from './no-reply-error.js';

/** Longest delay of Node's timers; longer ones would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The part of an AbortSignal that a request uses. Callers with thousands of requests a second can have a cheaper one. */
export interface RequestSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

interface Pending<Reply> {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
  readonly stopListening: () => void;
}

/**
 * Resolves calls with their replies. Every pending call has one owner, one timer and one end: its reply, its timeout,
 * its caller's signal, or the closing of the router.
 */
export class ReplyRouter<Reply> {
  readonly #pending = new Map<string, Pending<Reply>>();
  #closed: Error | undefined;

  /** Number of pending calls. */
  get size(): number {
    return this.#pending.size;
  }

  /**
   * Waits for the reply with this correlation id.
   * @throws NoReplyError
   */
  expect(correlation: string, timeoutMs: number, signal?: RequestSignal): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closed);
      if (signal?.aborted) return reject(aborted(signal));
      const onAbort = (): void => this.fail(correlation, aborted(signal));
      const onTimeout = (): void =>
        this.fail(correlation, new NoReplyError('timeout', `no reply within ${timeoutMs} ms`));
      signal?.addEventListener('abort', onAbort);
      this.#pending.set(correlation, {
        resolve,
        reject,
        timer: setTimeout(onTimeout, Math.min(timeoutMs, LONGEST_TIMER_MS)),
        stopListening: () => signal?.removeEventListener('abort', onAbort),
      });
    });
  }

  /** @returns false if no call is waiting for it: the reply is late, a duplicate, or for another client */
  deliver(correlation: string, reply: Reply): boolean {
    const pending = this.#take(correlation);
    pending?.resolve(reply);
    return pending !== undefined;
  }

  waits(correlation: string): boolean {
    return this.#pending.has(correlation);
  }

  fail(correlation: string, error: Error): void {
    this.#take(correlation)?.reject(error);
  }

  /** Fails all pending and later calls. */
  close(error: Error): void {
    this.#closed ??= error;
    for (const correlation of [...this.#pending.keys()]) this.fail(correlation, error);
  }

  #take(correlation: string): Pending<Reply> | undefined {
    const pending = this.#pending.get(correlation);
    if (!pending) return undefined;
    this.#pending.delete(correlation);
    clearTimeout(pending.timer);
    pending.stopListening();
    return pending;
  }
}

function aborted(signal: RequestSignal | undefined): NoReplyError {
  return new NoReplyError('aborted', 'aborted by the caller', { cause: signal?.reason });
}
