import { PartituraError } from '../../schemas/errors.js';
import type { EngineResponse } from './thread/messages.js';

/** A question that waits for its answer. */
interface Pending {
  readonly kind: string;
  readonly limitMs: number;
  readonly resolve: (answer: EngineResponse) => void;
  readonly reject: (error: PartituraError) => void;
}

/**
 * Questions to one thread or process, which answers them one at a time and in order. Only the first one is being
 * computed: its limit runs, and each of the others' begins when it becomes the first.
 */
export class PendingRequests {
  readonly #pending: Pending[] = [];
  #watchdog: NodeJS.Timeout | undefined;

  /** @param onOverdue called with the reason when the first question takes longer than its limit */
  constructor(readonly onOverdue: (reason: string) => void) {}

  get size(): number {
    return this.#pending.length;
  }

  /** Waits for the answer to a question that was just sent. @throws PartituraError the answer, where it is a failure */
  add(kind: string, limitMs: number): Promise<EngineResponse> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ kind, limitMs, resolve, reject });
      if (this.#pending.length === 1) this.#watchFirst();
    });
  }

  settleFirst(answer: EngineResponse): void {
    const first = this.#pending.shift();
    this.#watchFirst();
    if (answer.kind === 'failed') first?.reject(new PartituraError(answer.code, answer.message));
    else first?.resolve(answer);
  }

  /**
   * Fails all questions: nobody is left to answer them.
   * @param first the error of the question that was being computed, the likely cause
   * @param others the error of those behind it
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

  /** After a stall of the event loop its timers come before the messages that arrived meanwhile: look at those first. */
  #suspect(first: Pending): void {
    setImmediate(() => {
      if (this.#pending[0] === first) this.onOverdue(`a ${first.kind} took longer than ${first.limitMs} ms`);
    });
  }
}
