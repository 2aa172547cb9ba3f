import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { freemem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { PartituraError } from '../../schemas/errors.js';
import type { EngineOptions } from './options.js';
import { PendingQuestions } from './pending-questions.js';
import type { ProcessData } from './process/main.js';
import type { Answer, Question } from './thread/messages.js';

const PROCESS_FILE = fileURLToPath(new URL('./process/main.js', import.meta.url));
/** The part of the free memory that a child may take: the rest stays for the node. */
const MEMORY_PART = 0.8;
const LEAST_MEMORY_KB = 1024 * 1024;
/** Runs a program with a limit of its data in KiB, where the shell can set one. */
const WITH_LIMIT = 'ulimit -d "$0" 2>/dev/null; exec "$@"';

type AnswerOf<Kind extends Answer['kind']> = Extract<Answer, { kind: Kind }>;

/**
 * A child process that computes what may crash it. Its death fails the question that it was computing with
 * MODEL_CRASHED, and those behind it with a retryable INTERNAL.
 */
export class EngineProcess {
  private readonly child: ChildProcess;
  private readonly pending = new PendingQuestions((reason) =>
    this.end(new PartituraError('MODEL_FAILED', reason)),
  );
  private loss: PartituraError | undefined;
  private readonly exited: Promise<unknown>;

  constructor(private readonly options: Required<EngineOptions>) {
    const { backend, startTimeoutMs, loadTimeoutMs, runTimeoutMs } = options;
    const data: ProcessData = {
      backend,
      startTimeoutMs,
      questionTimeoutMs: 2 * Math.max(loadTimeoutMs, runTimeoutMs),
    };
    const memoryKb = Math.max(LEAST_MEMORY_KB, Math.floor((freemem() * MEMORY_PART) / 1024));
    const program = [process.execPath, PROCESS_FILE, JSON.stringify(data)];
    this.child = spawn('/bin/sh', ['-c', WITH_LIMIT, String(memoryKb), ...program], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    this.exited = once(this.child, 'exit').catch(() => undefined);
    this.child.on('message', (answer: Answer) => this.pending.settleFirst(answer));
    this.child.on('error', (error) =>
      this.lose(new PartituraError('INTERNAL', `no child process: ${error.message}`)),
    );
    this.child.on('exit', (code, signal) => this.lose(crashed(code, signal)));
  }

  /** Waits until it can load models. @throws PartituraError when it cannot be started */
  async started(): Promise<void> {
    await this.pending.add('start', this.options.startTimeoutMs);
  }

  get isLost(): boolean {
    return this.loss !== undefined;
  }

  /** @throws PartituraError the answer, where it is a failure; MODEL_CRASHED when the process died of the question */
  async ask<Kind extends Answer['kind']>(question: Question, limitMs: number): Promise<AnswerOf<Kind>> {
    if (this.loss) throw this.loss;
    // A failed send means that the child is gone, which its exit tells of.
    this.child.send(question, () => undefined);
    return (await this.pending.add(question.kind, limitMs)) as AnswerOf<Kind>;
  }

  /** Ends the process at once; questions that wait fail. */
  async close(): Promise<void> {
    this.end(new PartituraError('INTERNAL', 'the child process is closed'));
    await this.exited;
  }

  private end(reason: PartituraError): void {
    this.lose(reason);
    this.child.kill('SIGKILL');
  }

  private lose(reason: PartituraError): void {
    if (this.loss) return;
    this.loss = new PartituraError('INTERNAL', reason.message);
    this.pending.fail(reason, this.loss);
  }
}

function crashed(code: number | null, signal: NodeJS.Signals | null): PartituraError {
  return new PartituraError(
    'MODEL_CRASHED',
    `the process that computed it ended with ${signal ?? `exit code ${code}`}`,
  );
}
