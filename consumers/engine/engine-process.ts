import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { freemem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { PartituraError } from '../../schemas/errors.js';
import type { EngineOptions } from './options.js';
import { PendingRequests } from './pending-requests.js';
import type { ProcessData } from './process/main.js';
import type { EngineResponse, EngineRequest } from './thread/messages.js';

const PROCESS_FILE = fileURLToPath(new URL('./process/main.js', import.meta.url));
const KEPT_CHARACTERS = 2_000;
/** The part of the free memory that a child may take: the rest stays for the node. */
const MEMORY_PART = 0.8;
const LEAST_MEMORY_KB = 1024 * 1024;
const SHELL = '/bin/sh';
/** Runs a program with a limit of its data in KiB and without core dumps, where the shell can set these. */
const WITH_LIMITS = 'ulimit -d "$0" 2>/dev/null; ulimit -c 0 2>/dev/null; exec "$@"';

type AnswerOf<Kind extends EngineResponse['kind']> = Extract<EngineResponse, { kind: Kind }>;

/**
 * A child process that computes what may crash it. Its death fails the question that it was computing with
 * MODEL_CRASHED, and those behind it with a retryable INTERNAL.
 */
export class EngineProcess {
  readonly #child: ChildProcess;
  readonly #pending = new PendingRequests((reason) => this.#end(new PartituraError('MODEL_FAILED', reason)));
  #loss: PartituraError | undefined;
  /** The end of what it wrote to standard error, which tells of failed assertions. */
  #lastWords = '';
  readonly #exited: Promise<unknown>;

  constructor(readonly options: Required<EngineOptions>) {
    const { backend, startTimeoutMs, loadTimeoutMs, runTimeoutMs } = options;
    const data: ProcessData = {
      backend,
      startTimeoutMs,
      questionTimeoutMs: 2 * Math.max(loadTimeoutMs, runTimeoutMs),
    };
    const [command, ...args] = limited([process.execPath, PROCESS_FILE, JSON.stringify(data)]);
    this.#child = spawn(command, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#exited = once(this.#child, 'close').catch(() => undefined);
    this.#child.on('message', (answer: EngineResponse) => this.#pending.settleFirst(answer));
    this.#child.on('error', (error) =>
      this.#lose(new PartituraError('INTERNAL', `no child process: ${error.message}`)),
    );
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-KEPT_CHARACTERS);
    });
    this.#child.on('close', (code, signal) => this.#died(signal ?? `exit code ${code}`));
  }

  /** Waits until it can load models. @throws PartituraError when it cannot be started */
  async started(): Promise<void> {
    await this.#pending.add('start', this.options.startTimeoutMs);
  }

  get isLost(): boolean {
    return this.#loss !== undefined || !this.#child.connected;
  }

  /** @throws PartituraError the answer, where it is a failure; MODEL_CRASHED when the process died of the question */
  async ask<Kind extends EngineResponse['kind']>(
    question: EngineRequest,
    limitMs: number,
  ): Promise<AnswerOf<Kind>> {
    if (this.isLost) throw this.#loss ?? new PartituraError('INTERNAL', 'the child process has ended');
    // A failed send means that the child is gone, which its exit tells of.
    this.#child.send(question, () => undefined);
    return (await this.#pending.add(question.kind, limitMs)) as AnswerOf<Kind>;
  }

  /** Ends the process at once; questions that wait fail. */
  async close(): Promise<void> {
    this.#end(new PartituraError('INTERNAL', 'the child process is closed'));
    await this.#exited;
  }

  #end(reason: PartituraError): void {
    this.#lose(reason);
    this.#child.kill('SIGKILL');
  }

  #died(end: string): void {
    if (this.#loss) return;
    const [words = ''] = this.#lastWords.trim().split('\n').slice(-1);
    this.options.onError(new PartituraError('INTERNAL', `a child process ended with ${end}: ${words}`));
    this.#lose(new PartituraError('MODEL_CRASHED', `the process that computed it ended with ${end}`));
  }

  #lose(reason: PartituraError): void {
    if (this.#loss) return;
    this.#loss = new PartituraError('INTERNAL', reason.message);
    this.#pending.fail(reason, this.#loss);
  }
}

/** Images without a shell run the program as it is. */
function limited(program: [string, ...string[]]): [string, ...string[]] {
  if (!existsSync(SHELL)) return program;
  const memoryKb = Math.max(LEAST_MEMORY_KB, Math.floor((availableMemory() * MEMORY_PART) / 1024));
  return [SHELL, '-c', WITH_LIMITS, String(memoryKb), ...program];
}

/** Bytes that may still be taken here, within the limit of a container where there is one. */
function availableMemory(): number {
  const limit = process.constrainedMemory();
  const left = limit > 0 ? limit - process.memoryUsage.rss() : Infinity;
  return Math.max(0, Math.min(left, freemem()));
}
