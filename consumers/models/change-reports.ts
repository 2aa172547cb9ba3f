import type { Logger } from '../../core/log.js';
import { SerialQueue } from '../../core/serial.js';

export interface ReportOptions {
  /** Called with a model's name when the set of its available versions has changed. */
  readonly onChange: (model: string) => Promise<void>;
  /** Returns true for an error of `onChange` that affects every model and therefore stops the catalog. */
  readonly isFatal: (cause: unknown) => boolean;
}

/**
 * Reports of models whose available versions have changed, one at a time. A failure is kept for a retry at the next poll and
 * does not affect the other models.
 */
export class ChangeReports {
  readonly #queue = new SerialQueue();
  readonly #problems = new Map<string, string>();

  constructor(
    readonly options: ReportOptions,
    readonly log: Logger,
    readonly stopping: AbortSignal,
  ) {}

  /** @throws fatal errors of `onChange` */
  report(model: string): Promise<void> {
    return this.#queue.run(() => this.#report(model));
  }

  async #report(model: string): Promise<void> {
    const before = this.#problems.get(model);
    try {
      await this.options.onChange(model);
      this.#problems.delete(model);
    } catch (cause) {
      if (this.stopping.aborted) return;
      const { message } = cause as Error;
      this.#problems.set(model, message);
      if (this.options.isFatal(cause)) throw cause;
      if (message !== before)
        this.log.error(
          { model, reason: message },
          'model cannot be served; retrying, other models are unaffected',
        );
    }
  }

  /** Returns the reason why the last report of a model failed. */
  problemOf(model: string): string | undefined {
    return this.#problems.get(model);
  }

  get problems(): string[] {
    return [...this.#problems.values()];
  }
}
