import { Worker } from 'node:worker_threads';
import { PartituraError } from '../../schemas/errors.js';
import { CallGuard } from './call-guard.js';
import type { BackendChoice } from './options.js';
import { PendingRequests } from './pending-requests.js';
import type { EngineResponse, EngineRequest, ThreadData } from './thread/messages.js';

const THREAD_FILE = new URL('./thread/main.js', import.meta.url);

type ResponseOf<Kind extends EngineResponse['kind']> = Extract<EngineResponse, { kind: Kind }>;

/**
 * One worker thread. A thread that exceeds a time limit, throws or exits is lost: its first request, the likely cause,
 * fails with MODEL_FAILED, and the queued ones with a retryable INTERNAL.
 */
export class EngineThread {
  readonly #worker: Worker;
  readonly #guard = new CallGuard();
  readonly #pending = new PendingRequests((reason) => this.#lose(reason));
  #lossReason: PartituraError | undefined;
  readonly #ended: Promise<unknown>;

  constructor(
    backend: BackendChoice,
    readonly onLoss: (reason: PartituraError) => void,
  ) {
    const workerData: ThreadData = { backend, guard: this.#guard.state };
    this.#worker = new Worker(THREAD_FILE, { workerData, name: 'engine' });
    this.#ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.on('message', (response: EngineResponse) => this.#pending.settleFirst(response));
    this.#worker.on('error', (error) => this.#lose(`the engine thread crashed: ${error.message}`));
    this.#worker.on('messageerror', (error) =>
      this.#lose(`the engine thread sent an unreadable message: ${error.message}`),
    );
    this.#worker.on('exit', (code) => this.#lose(`the engine thread exited with code ${code}`));
  }

  /** Waits until the thread can load models. */
  async started(limitMs: number): Promise<ResponseOf<'started'>> {
    return (await this.#pending.add('start', limitMs)) as ResponseOf<'started'>;
  }

  /** Number of unanswered requests. */
  get backlog(): number {
    return this.#pending.size;
  }

  get isLost(): boolean {
    return this.#lossReason !== undefined;
  }

  /** @throws PartituraError if the response is a failure or the thread was lost */
  async request<Kind extends EngineResponse['kind']>(
    request: EngineRequest,
    limitMs: number,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<ResponseOf<Kind>> {
    if (this.#lossReason) throw this.#lossReason;
    this.#worker.postMessage(request, transfer);
    return (await this.#pending.add(request.kind, limitMs)) as ResponseOf<Kind>;
  }

  /** Stops the thread and fails pending requests. A native computation cannot be interrupted, hence the limit. */
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
    if (this.#guard.shut()) void this.#worker.terminate();
    this.onLoss(this.#lossReason);
  }
}
