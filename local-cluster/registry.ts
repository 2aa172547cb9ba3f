import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { killGroup, startGuarded, type GuardedProcess } from './broker-process.js';
import { plainGuardProgram } from './process-guard.js';
import type { BrokerExit } from './launcher.js';
import { assertPortFree, freePort, loopback } from './ports.js';

export interface LocalRegistryOptions {
  /** Port on 127.0.0.1; 0 or undefined chooses a free one. */
  readonly port?: number;
  /** Called with each line of the registry's log (warnings and errors). */
  readonly log?: (line: string) => void;
  /** Aborts the start. */
  readonly signal?: AbortSignal | undefined;
  /** Called with progress while the registry is being downloaded. */
  readonly onStep?: (step: string) => void;
}

/** A schema registry (Apicurio, in memory) that ends with this process, however the process ends. */
export interface LocalRegistry {
  /** Base URL of its Confluent-compatible API. */
  readonly url: string;
  /** Resolves when the registry has ended, for any reason. */
  readonly exited: Promise<BrokerExit>;
  /** Stops the registry gracefully. May be called twice. */
  stop(): Promise<void>;
}

const SETUP = fileURLToPath(new URL('../../scripts/setup/registry.mjs', import.meta.url));
const API = '/apis/ccompat/v7';
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 10_000;
const ANSWER_LIMIT_MS = 2_000;
const HEAP_MB = 256;

/**
 * Starts a registry and resolves when it answers; downloads it the first time. @throws Error with a one-sentence
 * reason: a port in use, no Java
 */
export async function startLocalRegistry(options: LocalRegistryOptions = {}): Promise<LocalRegistry> {
  const { log = ignore, onStep = ignore, signal } = options;
  const port = options.port || (await freePort());
  await assertPortFree(port, '--registry-port');
  const command = javaCommand(await fetchJar(onStep), port);
  signal?.throwIfAborted();
  const guarded = startGuarded('sh', ['-c', plainGuardProgram, 'guard', ...command], log);
  const url = `http://${loopback}:${port}${API}`;
  const registry = { url, exited: guarded.exited, stop: () => stop(guarded) };
  const end = (): void => void stop(guarded);
  signal?.addEventListener('abort', end, { once: true });
  const problem = await waitUntilAnswering(url, guarded.exited);
  signal?.removeEventListener('abort', end);
  if (problem === undefined) return registry;
  await registry.stop();
  throw new Error(`the schema registry ${problem}; its last log lines:\n${(await guarded.exited).lastLog}`);
}

/** Fetches the jar with the setup script, which manages the cache. */
async function fetchJar(onStep: (step: string) => void): Promise<string> {
  try {
    const fetched = promisify(execFile)(process.execPath, [SETUP]);
    fetched.child.stderr?.on('data', (text) => onStep(String(text).trimEnd()));
    return (await fetched).stdout.trim();
  } catch (cause) {
    throw new Error((cause as { stderr?: string }).stderr?.trim() || String(cause), { cause });
  }
}

function javaCommand(jar: string, port: number): string[] {
  const settings = {
    'quarkus.http.host': loopback,
    'quarkus.http.port': port,
    'quarkus.log.level': 'WARN',
    'quarkus.log.category."io.apicurio".level': 'WARN',
    'quarkus.http.access-log.enabled': false,
    'quarkus.banner.enabled': false,
  };
  return [
    'java',
    `-Xmx${HEAP_MB}m`,
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`),
    '-jar',
    jar,
  ];
}

/** @returns the reason why the registry does not answer; undefined once it does */
async function waitUntilAnswering(url: string, exited: Promise<BrokerExit>): Promise<string | undefined> {
  const giveUpAt = Date.now() + START_LIMIT_MS;
  let ended: BrokerExit | undefined;
  void exited.then((exit) => (ended = exit));
  while (!(await answers(url))) {
    if (ended) return `ended with ${ended.signal ?? `exit code ${ended.code}`} before it was ready`;
    if (Date.now() > giveUpAt) return `did not answer within ${START_LIMIT_MS / 1_000} s`;
    await Promise.race([sleep(100), exited]);
  }
  return undefined;
}

async function answers(url: string): Promise<boolean> {
  try {
    const { ok } = await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
    return ok;
  } catch {
    return false;
  }
}

async function stop({ child, exited }: GuardedProcess): Promise<void> {
  child.kill('SIGTERM');
  const ended = await Promise.race([exited, sleep(STOP_LIMIT_MS, undefined, { ref: false })]);
  if (ended === undefined) killGroup(child);
  await exited;
}

const ignore = (): void => undefined;
