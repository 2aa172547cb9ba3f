import type { Logger } from '../../core/log.js';
import type { NodeStatus } from '../../schemas/generated.js';

/** State of one node, from its start to its end. Its owner moves it on; every part of the node reads it. */
export class Lifecycle {
  readonly startedAt = Date.now();
  readonly #closing = new AbortController();
  #state: NodeStatus['state'] = 'STARTING';
  #failure: Error | undefined;
  #reportFailure: (error: Error) => void = () => undefined;

  /** Resolves with the reason if the node cannot continue; the node should then be closed. */
  readonly failed = new Promise<Error>((resolve) => (this.#reportFailure = resolve));

  constructor(readonly log: Logger) {}

  get state(): NodeStatus['state'] {
    return this.#state;
  }

  get isHealthy(): boolean {
    return this.#failure === undefined;
  }

  /** Aborts once the node is being closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  ready(): void {
    if (!this.closing.aborted) this.#state = 'READY';
  }

  /** Reports the first fatal error. Errors of a node that is being closed are ignored. */
  fail(error: Error): void {
    if (this.#failure || this.closing.aborted) return;
    this.#failure = error;
    this.log.fatal(
      { err: error },
      'node is stopping after a fatal error; unanswered records will be redelivered to other nodes',
    );
    this.#reportFailure(error);
  }

  drain(): void {
    this.#state = 'DRAINING';
    this.#closing.abort(new Error('the node is being closed'));
  }
}
