import { Worker } from 'node:worker_threads';
import { PartituraError } from '../../schemas/errors.js';
import { CallGate } from './call-gate.js';
import type { BackendChoice } from './options.js';
import type { Answer, Question, ThreadData } from './thread/messages.js';

const THREAD_FILE = new URL('./thread/main.js', import.meta.url);

type AnswerOf<Kind extends Answer['kind']> = Extract<Answer, { kind: Kind }>;

/** A question that waits for its answer. Its owner is the thread; it dies with an answer, a limit or the thread. */
interface Pending {
  readonly what: string;
  readonly limitMs: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: PartituraError) => void;
}

/**
 * One worker thread. Questions are answered one at a time and in order, so only the first one waits for
 * computation: its limit runs, and each of the others' begins when it becomes the first.
 *
 * A thread that answers too late, throws or exits is lost: its first question fails with MODEL_FAILED,
 * being the likely cause, and those behind it with a retryable INTERNAL.
 */
export class EngineThread {
  private readonly worker: Worker;
  private readonly gate = new CallGate();
  private readonly pending: Pending[] = [];
  private watchdog: NodeJS.Timeout | undefined;
  private lossReason: PartituraError | undefined;
  private readonly ended: Promise<unknown>;

  constructor(
    backend: BackendChoice,
    private readonly onLoss: (reason: PartituraError) => void,
  ) {
    const workerData: ThreadData = { backend, gate: this.gate.state };
    this.worker = new Worker(THREAD_FILE, { workerData, name: 'engine' });
    this.ended = new Promise((resolve) => this.worker.once('exit', resolve));
    this.worker.on('message', (answer: Answer) => this.settleFirst(answer));
    this.worker.on('error', (error) => this.lose(`the engine's thread crashed: ${error.message}`));
    this.worker.on('messageerror', (error) =>
      this.lose(`the engine's thread sent what can't be read: ${error.message}`),
    );
    this.worker.on('exit', (code) => this.lose(`the engine's thread exited with code ${code}`));
  }

  /** Waits until the thread can load models. */
  async started(limitMs: number): Promise<AnswerOf<'started'>> {
    return (await this.answerWithin(limitMs, 'start')) as AnswerOf<'started'>;
  }

  /** How many questions it has still to answer. */
  get backlog(): number {
    return this.pending.length;
  }

  get isLost(): boolean {
    return this.lossReason !== undefined;
  }

  /** @throws PartituraError what the thread answered, or that it was lost */
  async ask<Kind extends Answer['kind']>(
    question: Question,
    limitMs: number,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<AnswerOf<Kind>> {
    if (this.lossReason) throw this.lossReason;
    this.worker.postMessage(question, transfer);
    return (await this.answerWithin(limitMs, question.kind)) as AnswerOf<Kind>;
  }

  /** Ends the thread; all that wait fail. A computation inside a native library can't be interrupted, hence the limit. */
  async end(limitMs: number): Promise<void> {
    this.lose('the engine is closed');
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise((resolve) => (timer = setTimeout(resolve, limitMs)));
    await Promise.race([this.ended, limit]);
    clearTimeout(timer);
  }

  private answerWithin(limitMs: number, what: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.pending.push({ what, limitMs, resolve, reject });
      if (this.pending.length === 1) this.watchFirst();
    });
  }

  private settleFirst(answer: Answer): void {
    const first = this.pending.shift();
    this.watchFirst();
    if (answer.kind === 'failed') first?.reject(new PartituraError(answer.code, answer.message));
    else first?.resolve(answer);
  }

  private watchFirst(): void {
    clearTimeout(this.watchdog);
    const first = this.pending[0];
    if (first) this.watchdog = setTimeout(() => this.suspect(first), first.limitMs);
  }

  /** After a stall of the event loop its timers come before the messages that arrived meanwhile: look at those first. */
  private suspect(first: Pending): void {
    setImmediate(() => {
      if (this.pending[0] === first) this.lose(`a ${first.what} took longer than ${first.limitMs} ms`);
    });
  }

  private lose(reason: string): void {
    if (this.lossReason) return;
    this.lossReason = new PartituraError('INTERNAL', reason);
    clearTimeout(this.watchdog);
    const [first, ...others] = this.pending.splice(0);
    first?.reject(new PartituraError('MODEL_FAILED', reason));
    for (const { reject } of others) reject(this.lossReason);
    if (this.gate.shut()) void this.worker.terminate();
    this.onLoss(this.lossReason);
  }
}
