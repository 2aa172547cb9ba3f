import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Config } from '../core/config/config.js';
import { nodeEnvironment } from './environment.js';

/** Message of a node process to its parent once it serves requests. */
export interface NodeReady {
  readonly node: string;
  readonly health: string;
  readonly models: readonly string[];
}

/** Message of a gateway process to its parent once it serves requests. */
export interface GatewayReady {
  /** Base URL of the REST APIs. */
  readonly gateway: string;
  /** Address of the gRPC services, `host:port`. */
  readonly grpc: string;
}

/** Message that a starting process repeats while the brokers are unavailable. */
export interface ProcessWaiting {
  readonly waitingFor: string;
}

/** End of a process; `reason` is its last message. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly reason: string;
}

/** A process of the cluster as a child process. It ends with its parent, however the parent ends. */
export interface RoleProcess<Ready> {
  readonly ready: Ready;
  readonly pid: number;
  readonly exited: Promise<ProcessExit>;
  /** Stops the process after its requests in flight; sends SIGKILL if that takes too long. */
  stop(): Promise<ProcessExit>;
  kill(signal: NodeJS.Signals): void;
}

/** Message of a coordinator process to its parent once it takes jobs. */
export interface CoordinatorReady {
  readonly coordinator: string;
}

export type NodeProcess = RoleProcess<NodeReady>;
export type GatewayProcess = RoleProcess<GatewayReady>;

/** Subcommands of the command line that run until they are stopped, and what they are called in messages. */
type Role = 'node' | 'gateway' | 'coordinator';

const MAIN = fileURLToPath(new URL('../cli/main.js', import.meta.url));
/**
 * MiB for young objects: requests live for some milliseconds, and with Node's default of 16 they would be promoted to
 * the old generation under load, which costs a fifth of the throughput.
 */
export const NURSERY = '--max-semi-space-size=64';
/** Timeout of a start while the brokers are available; a node waits for unavailable brokers indefinitely. */
const READY_LIMIT_MS = 120_000;
const STOP_SLACK_MS = 15_000;
const KEPT_LOG_LINES = 40;
/** Prefix of the command line's messages to users. */
const MESSAGE_PREFIX = 'partitura: ';

export interface StartOptions {
  /** Called with each line of the process's log. */
  readonly log: (line: string) => void;
  /** Aborts the start. */
  readonly signal?: AbortSignal | undefined;
  /** Timeout of the start, not counting time in which the brokers are unavailable. */
  readonly readyLimitMs?: number | undefined;
}

/**
 * Starts `partitura node` with this configuration and resolves when it serves requests.
 * @throws Error with the node's last message if it ends before it is ready
 */
export function startNodeProcess(config: Partial<Config>, options: StartOptions): Promise<NodeProcess> {
  return startRole('node', config, options);
}

/** Starts `partitura gateway`, likewise. */
export function startGatewayProcess(config: Partial<Config>, options: StartOptions): Promise<GatewayProcess> {
  return startRole('gateway', config, options);
}

/** Starts `partitura coordinator`, likewise. */
export function startCoordinatorProcess(
  config: Partial<Config>,
  options: StartOptions,
): Promise<RoleProcess<CoordinatorReady>> {
  return startRole('coordinator', config, options);
}

async function startRole<Ready extends object>(
  role: Role,
  config: Partial<Config>,
  { log, signal, readyLimitMs = READY_LIMIT_MS }: StartOptions,
): Promise<RoleProcess<Ready>> {
  signal?.throwIfAborted();
  const child = fork(MAIN, [role], {
    env: nodeEnvironment(config),
    execArgv: [...process.execArgv, NURSERY],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const tail = keepTail(child.stderr as Readable, log);
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, reason: lastReason(tail) }));
  });
  const stop = async (): Promise<ProcessExit> => {
    child.kill('SIGTERM');
    const limitMs = drainLimitMs(role, config) + STOP_SLACK_MS;
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    const exit = await exited;
    clearTimeout(timer);
    return exit;
  };
  const abort = (): void => void stop();
  signal?.addEventListener('abort', abort, { once: true });
  const ready = await untilReady<Ready>(role, child, exited, readyLimitMs)
    .catch((error: unknown) => {
      child.kill('SIGKILL');
      throw error;
    })
    .finally(() => signal?.removeEventListener('abort', abort));
  return { ready, pid: child.pid ?? 0, exited, stop, kill: (signal) => void child.kill(signal) };
}

/** Returns the time that a process gives its requests in flight, milliseconds. */
function drainLimitMs(
  role: Role,
  { drainTimeoutMs = 8_000, gatewayTimeoutMs = 30_000 }: Partial<Config>,
): number {
  return role === 'gateway' ? gatewayTimeoutMs : drainTimeoutMs;
}

function untilReady<Ready extends object>(
  role: Role,
  child: ChildProcess,
  exited: Promise<ProcessExit>,
  limitMs: number,
): Promise<Ready> {
  let late: NodeJS.Timeout | undefined;
  return new Promise<Ready>((resolve, reject) => {
    late = setTimeout(
      () => reject(new Error(`a ${role} was not ready within ${limitMs / 1_000} s`)),
      limitMs,
    );
    child.on('message', (message: Ready | ProcessWaiting) => {
      if ('waitingFor' in message) late?.refresh();
      else resolve(message);
    });
    child.once('error', reject);
    void exited.then(({ code, signal, reason }) => {
      reject(
        new Error(`a ${role} ended with ${signal ?? `exit code ${code}`} before it was ready: ${reason}`),
      );
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

/** Returns the last plain message, as opposed to log lines. */
function lastReason(lines: readonly string[]): string {
  const reason = lines.findLast((line) => line.startsWith(MESSAGE_PREFIX));
  return reason?.slice(MESSAGE_PREFIX.length) ?? lines.at(-1) ?? 'no output';
}
