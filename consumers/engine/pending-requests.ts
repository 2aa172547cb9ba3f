import { PartituraError } from '../../schemas/errors.js';
import type { EngineResponse } from './thread/messages.js';

/** A request that awaits its response. */
interface Pending {
  readonly kind: string;
  readonly limitMs: number;
  readonly resolve: (response: EngineResponse) => void;
  readonly reject: (error: PartituraError) => void;
}

/**
 * Requests to one thread or process, which answers them one at a time and in order. Only the first is being computed, so
 * only its time limit runs; each further one starts when its request becomes the first.
 */
export class PendingRequests {
  readonly #pending: Pending[] = [];
  #watchdog: NodeJS.Timeout | undefined;

  /** @param onOverdue called with the reason when the first request exceeds its limit */
  constructor(readonly onOverdue: (reason: string) => void) {}

  get size(): number {
    return this.#pending.length;
  }

  /** Waits for the response to a request just sent. @throws PartituraError if the response is a failure */
  add(kind: string, limitMs: number): Promise<EngineResponse> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ kind, limitMs, resolve, reject });
      if (this.#pending.length === 1) this.#watchFirst();
    });
  }

  settleFirst(response: EngineResponse): void {
    const first = this.#pending.shift();
    this.#watchFirst();
    if (response.kind === 'failed') first?.reject(new PartituraError(response.code, response.message));
    else first?.resolve(response);
  }

  /**
   * Fails all requests after the thread or process was lost.
   * @param first error of the request being computed, the likely cause
   * @param others error of the queued ones
   */
  fail(first: PartituraError, others: PartituraError): void {
    clearTimeout(this.#watchdog);
    const [computing, ...waiting] = this.#pending.splice(0);
    computing?.reject(first);
    for (const { reject } of waiting) reject(others);
  }

  #watchFirst(): void {
    clearTimeout(this.#watchdog);
    const [first] = this.#pending;
    if (first) this.#watchdog = setTimeout(() => this.#suspect(first), first.limitMs);
  }

  /**
   * Reports an overdue request. After an event loop stall, timers fire before queued messages, so these are handled first.
   */
  #suspect(first: Pending): void {
    setImmediate(() => {
      if (this.#pending[0] === first) this.onOverdue(`a ${first.kind} took longer than ${first.limitMs} ms`);
    });
  }
}
