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
/** Fraction of the free memory that a child process may use; the rest is left to the node. */
const MEMORY_PART = 0.8;
const LEAST_MEMORY_KB = 1024 * 1024;
const SHELL = '/bin/sh';
/** Runs a program with a data limit in KiB and without core dumps, if the shell supports both. */
const WITH_LIMITS = 'ulimit -d "$0" 2>/dev/null; ulimit -c 0 2>/dev/null; exec "$@"';

type ResponseOf<Kind extends EngineResponse['kind']> = Extract<EngineResponse, { kind: Kind }>;

/**
 * A child process for computations that may crash it. Its exit fails the request being computed with MODEL_CRASHED, and
 * the queued ones with a retryable INTERNAL.
 */
export class EngineProcess {
  readonly #child: ChildProcess;
  readonly #pending = new PendingRequests((reason) => this.#end(new PartituraError('MODEL_FAILED', reason)));
  #loss: PartituraError | undefined;
  /** Tail of its standard error, which may contain a failed assertion. */
  #stderrTail = '';
  readonly #exited: Promise<unknown>;

  constructor(readonly options: Required<EngineOptions>) {
    const { backend, startTimeoutMs, loadTimeoutMs, runTimeoutMs } = options;
    const data: ProcessData = {
      backend,
      startTimeoutMs,
      requestTimeoutMs: 2 * Math.max(loadTimeoutMs, runTimeoutMs),
    };
    const [command, ...args] = limited([process.execPath, PROCESS_FILE, JSON.stringify(data)]);
    this.#child = spawn(command, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#exited = once(this.#child, 'close').catch(() => undefined);
    this.#child.on('message', (response: EngineResponse) => this.#pending.settleFirst(response));
    this.#child.on('error', (error) =>
      this.#lose(new PartituraError('INTERNAL', `could not start a child process: ${error.message}`)),
    );
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderrTail = (this.#stderrTail + text).slice(-KEPT_CHARACTERS);
    });
    this.#child.on('close', (code, signal) => this.#onExit(signal ?? `exit code ${code}`));
  }

  /** Waits until it can load models. @throws PartituraError if it cannot be started */
  async started(): Promise<void> {
    await this.#pending.add('start', this.options.startTimeoutMs);
  }

  get isLost(): boolean {
    return this.#loss !== undefined || !this.#child.connected;
  }

  /** @throws PartituraError if the response is a failure; MODEL_CRASHED if the request crashed the process */
  async request<Kind extends EngineResponse['kind']>(
    request: EngineRequest,
    limitMs: number,
  ): Promise<ResponseOf<Kind>> {
    if (this.isLost) throw this.#loss ?? new PartituraError('INTERNAL', 'the child process has exited');
    // A failed send means that the child has exited, which its `close` event reports.
    this.#child.send(request, () => undefined);
    return (await this.#pending.add(request.kind, limitMs)) as ResponseOf<Kind>;
  }

  /** Kills the process immediately; pending requests fail. */
  async close(): Promise<void> {
    this.#end(new PartituraError('INTERNAL', 'the child process is closed'));
    await this.#exited;
  }

  #end(reason: PartituraError): void {
    this.#lose(reason);
    this.#child.kill('SIGKILL');
  }

  #onExit(end: string): void {
    if (this.#loss) return;
    const [lastLine = ''] = this.#stderrTail.trim().split('\n').slice(-1);
    this.options.onError(new PartituraError('INTERNAL', `a child process exited (${end}): ${lastLine}`));
    this.#lose(new PartituraError('MODEL_CRASHED', `its child process exited (${end})`));
  }

  #lose(reason: PartituraError): void {
    if (this.#loss) return;
    this.#loss = new PartituraError('INTERNAL', reason.message);
    this.#pending.fail(reason, this.#loss);
  }
}

/** Wraps a program with resource limits; images without a shell run it unchanged. */
function limited(program: [string, ...string[]]): [string, ...string[]] {
  if (!existsSync(SHELL)) return program;
  const memoryKb = Math.max(LEAST_MEMORY_KB, Math.floor((availableMemory() * MEMORY_PART) / 1024));
  return [SHELL, '-c', WITH_LIMITS, String(memoryKb), ...program];
}

/** Returns the bytes still available, within the container's limit if there is one. */
function availableMemory(): number {
  const limit = process.constrainedMemory();
  const left = limit > 0 ? limit - process.memoryUsage.rss() : Infinity;
  return Math.max(0, Math.min(left, freemem()));
}
