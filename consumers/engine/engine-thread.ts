import { Worker } from 'node:worker_threads';
import { PartituraError } from '../../schemas/errors.js';
import { CallGuard } from './call-guard.js';
import type { BackendChoice } from './options.js';
import { PendingRequests } from './pending-requests.js';
import type { EngineResponse, EngineRequest, ThreadData } from './thread/messages.js';

const THREAD_FILE = new URL('./thread/main.js', import.meta.url);

type AnswerOf<Kind extends EngineResponse['kind']> = Extract<EngineResponse, { kind: Kind }>;

/**
 * One worker thread. A thread that answers too late, throws or exits is lost: its first question fails with MODEL_FAILED,
 * being the likely cause, and those behind it with a retryable INTERNAL.
 */
export class EngineThread {
  readonly #worker: Worker;
  readonly #gate = new CallGuard();
  readonly #pending = new PendingRequests((reason) => this.#lose(reason));
  #lossReason: PartituraError | undefined;
  readonly #ended: Promise<unknown>;

  constructor(
    backend: BackendChoice,
    readonly onLoss: (reason: PartituraError) => void,
  ) {
    const workerData: ThreadData = { backend, gate: this.#gate.state };
    this.#worker = new Worker(THREAD_FILE, { workerData, name: 'engine' });
    this.#ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.on('message', (answer: EngineResponse) => this.#pending.settleFirst(answer));
    this.#worker.on('error', (error) => this.#lose(`the engine's thread crashed: ${error.message}`));
    this.#worker.on('messageerror', (error) =>
      this.#lose(`the engine's thread sent what can't be read: ${error.message}`),
    );
    this.#worker.on('exit', (code) => this.#lose(`the engine's thread exited with code ${code}`));
  }

  /** Waits until the thread can load models. */
  async started(limitMs: number): Promise<AnswerOf<'started'>> {
    return (await this.#pending.add('start', limitMs)) as AnswerOf<'started'>;
  }

  /** How many questions it has still to answer. */
  get backlog(): number {
    return this.#pending.size;
  }

  get isLost(): boolean {
    return this.#lossReason !== undefined;
  }

  /** @throws PartituraError what the thread answered, or that it was lost */
  async ask<Kind extends EngineResponse['kind']>(
    question: EngineRequest,
    limitMs: number,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<AnswerOf<Kind>> {
    if (this.#lossReason) throw this.#lossReason;
    this.#worker.postMessage(question, transfer);
    return (await this.#pending.add(question.kind, limitMs)) as AnswerOf<Kind>;
  }

  /** Ends the thread; all that wait fail. A computation inside a native library can't be interrupted, hence the limit. */
  async end(limitMs: number): Promise<void> {
    this.#lose('the engine is closed');
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise((resolve) => (timer = setTimeout(resolve, limitMs)));
    await Promise.race([this.#ended, limit]);
    clearTimeout(timer);
  }

  #lose(reason: string): void {
    if (this.#lossReason) return;
    this.#lossReason = new PartituraError('INTERNAL', reason);
    this.#pending.fail(new PartituraError('MODEL_FAILED', reason), this.#lossReason);
    if (this.#gate.shut()) void this.#worker.terminate();
    this.onLoss(this.#lossReason);
  }
}
