import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { killGroup, startGuarded, type GuardedProcess } from './broker-process.js';
import { plainGuardProgram } from './process-guard.js';
import type { BrokerExit } from './launcher.js';
import { assertPortFree, freePort, loopback } from './ports.js';

export interface LocalRegistryOptions {
  /** The port on 127.0.0.1; 0 or none takes a free one. */
  readonly port?: number;
  /** Is given each line of the registry's log (warnings and errors). */
  readonly log?: (line: string) => void;
  /** Ends the start. */
  readonly signal?: AbortSignal | undefined;
  /** Is told when it has to be fetched. */
  readonly onStep?: (step: string) => void;
}

/** A schema registry (Apicurio, in memory) that lives no longer than this process, however this process ends. */
export interface LocalRegistry {
  /** Where its API in Confluent's manner begins. */
  readonly url: string;
  /** Resolves when it has ended, asked to or not. */
  readonly exited: Promise<BrokerExit>;
  /** Ends it in order. May be called twice. */
  stop(): Promise<void>;
}

const SETUP = fileURLToPath(new URL('../../scripts/setup/registry.mjs', import.meta.url));
const API = '/apis/ccompat/v7';
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 10_000;
const ANSWER_LIMIT_MS = 2_000;
const HEAP_MB = 256;

/** Resolves when it answers. The first time it is fetched. @throws Error with one sentence: a port in use, no Java */
export async function startLocalRegistry(options: LocalRegistryOptions = {}): Promise<LocalRegistry> {
  const { log = ignore, onStep = ignore, signal } = options;
  const port = options.port || (await freePort());
  await assertPortFree(port, '--registry-port');
  const command = javaCommand(await fetchJar(onStep), port);
  signal?.throwIfAborted();
  const kept = startGuarded('sh', ['-c', plainGuardProgram, 'keeper', ...command], log);
  const url = `http://${loopback}:${port}${API}`;
  const registry = { url, exited: kept.exited, stop: () => stop(kept) };
  const end = (): void => void stop(kept);
  signal?.addEventListener('abort', end, { once: true });
  const problem = await waitUntilAnswering(url, kept.exited);
  signal?.removeEventListener('abort', end);
  if (problem === undefined) return registry;
  await registry.stop();
  throw new Error(`the schema registry ${problem}; its last log lines:\n${(await kept.exited).lastLog}`);
}

/** The set-up knows where the cache is, and fills it. */
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

/** @returns why it won't answer; undefined once it does */
async function waitUntilAnswering(url: string, exited: Promise<BrokerExit>): Promise<string | undefined> {
  const giveUpAt = Date.now() + START_LIMIT_MS;
  let ended: BrokerExit | undefined;
  void exited.then((exit) => (ended = exit));
  while (!(await answers(url))) {
    if (ended) return `ended with ${ended.signal ?? `exit code ${ended.code}`} before it answered`;
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
