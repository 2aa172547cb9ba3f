import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { toEnvironment, type Config } from '../core/config/config.js';

/** What a node process tells its parent once it serves. */
export interface NodeReady {
  readonly node: string;
  readonly health: string;
  readonly models: readonly string[];
}

/** What a node process tells its parent again and again while it starts and the brokers are away. */
export interface NodeWaiting {
  readonly waitingFor: string;
}

/** How a node process ended; `reason` is what it said on its way out. */
export interface NodeExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly reason: string;
}

/** An inference node as a child process. It ends when its parent does, however that ends. */
export interface NodeProcess {
  readonly ready: NodeReady;
  readonly pid: number;
  readonly exited: Promise<NodeExit>;
  /** Lets it finish what is under way; SIGKILL when that takes too long. */
  stop(): Promise<NodeExit>;
  kill(signal: NodeJS.Signals): void;
}

const MAIN = fileURLToPath(new URL('../cli/main.js', import.meta.url));
/**
 * MiB for young objects: requests live for some milliseconds, and with Node's 16 they would be moved to the old ones
 * under load, which costs a fifth of the throughput.
 */
export const NURSERY = '--max-semi-space-size=64';
/** For a start while the brokers are there: a node waits for those that are away as long as they are. */
const READY_LIMIT_MS = 120_000;
const STOP_SLACK_MS = 15_000;
const KEPT_LOG_LINES = 40;
/** How the command line begins what it has to say to people. */
const SAYS = 'partitura: ';

/**
 * Starts `partitura node` with this configuration and resolves when it serves.
 * @param log is given what the node writes to its log
 * @param signal ends the start
 * @param readyLimitMs bounds the start; time in which the brokers are away does not count
 * @throws Error with the node's own words when it ends before it serves
 */
export async function startNodeProcess(
  config: Partial<Config>,
  log: (line: string) => void,
  signal?: AbortSignal,
  readyLimitMs = READY_LIMIT_MS,
): Promise<NodeProcess> {
  signal?.throwIfAborted();
  const child = fork(MAIN, ['node'], {
    env: { ...process.env, ...toEnvironment(config) },
    execArgv: [...process.execArgv, NURSERY],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const tail = keepTail(child.stderr as Readable, log);
  const exited = new Promise<NodeExit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, reason: lastReason(tail) }));
  });
  const stop = async (): Promise<NodeExit> => {
    child.kill('SIGTERM');
    const limitMs = (config.drainTimeoutMs ?? 8_000) + STOP_SLACK_MS;
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    const exit = await exited;
    clearTimeout(timer);
    return exit;
  };
  const abort = (): void => void stop();
  signal?.addEventListener('abort', abort, { once: true });
  const ready = await untilReady(child, exited, readyLimitMs)
    .catch((error: unknown) => {
      child.kill('SIGKILL');
      throw error;
    })
    .finally(() => signal?.removeEventListener('abort', abort));
  return { ready, pid: child.pid ?? 0, exited, stop, kill: (signal) => void child.kill(signal) };
}

function untilReady(child: ChildProcess, exited: Promise<NodeExit>, limitMs: number): Promise<NodeReady> {
  let late: NodeJS.Timeout | undefined;
  return new Promise<NodeReady>((resolve, reject) => {
    late = setTimeout(() => reject(new Error(`a node did not serve within ${limitMs / 1_000} s`)), limitMs);
    child.on('message', (message: NodeReady | NodeWaiting) => {
      if ('waitingFor' in message) late?.refresh();
      else resolve(message);
    });
    child.once('error', reject);
    void exited.then(({ code, signal, reason }) => {
      reject(new Error(`a node ended with ${signal ?? `exit code ${code}`} before it served: ${reason}`));
    });
  }).finally(() => clearTimeout(late));
}

function keepTail(stderr: Readable, log: (line: string) => void): readonly string[] {
  const tail: string[] = [];
  createInterface({ input: stderr }).on('line', (line) => {
    if (line.trim() === '') return;
    log(line);
    if (tail.push(line) > KEPT_LOG_LINES) tail.shift();
  });
  return tail;
}

/** The last thing that was said in plain words rather than as a line of log. */
function lastReason(lines: readonly string[]): string {
  const reason = lines.findLast((line) => line.startsWith(SAYS));
  return reason?.slice(SAYS.length) ?? lines.at(-1) ?? 'it said nothing';
}
