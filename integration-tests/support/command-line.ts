import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../local-cluster/ports.js';
import { waitUntilServing } from '../../local-cluster/readiness.js';
import { eventually } from './eventually.js';
import { ROOT, run, type Ended } from './programs.js';

/** Disables the cache: verdicts of other runs must not count, and tests must not write to the home folder. */
const NO_FOLDER = '/dev/null/cache';
/** Settings of every command: free ports for gateways, since tests run side by side. */
const SETTINGS = {
  KAFKA_BROKERS: '',
  PARTITURA_CACHE_DIR: NO_FOLDER,
  PARTITURA_GATEWAY_PORT: '0',
  PARTITURA_GRPC_PORT: '0',
};
const MAIN = join(ROOT, 'dist/cli/main.js');
const LIMIT_MS = 60_000;

/** The line that `up --json` prints. */
export interface Ready {
  readonly brokers: readonly string[];
  readonly registry?: string;
  readonly models: readonly string[];
  readonly nodes: readonly { readonly node: string; readonly health: string; readonly pid: number }[];
}

export interface Started {
  readonly pid: number;
  readonly exitCode: Promise<number | null>;
  stdout(): string;
  stderr(): string;
  /** Waits until standard output or standard error matches. @throws Error if the command exits before */
  printed(what: RegExp): Promise<void>;
  /** Sends the signal and resolves with the exit code. */
  readonly end: (signal: NodeJS.Signals) => Promise<number | null>;
}

type Environment = Readonly<Record<string, string>>;

/** The `partitura` command as run by users: the built program in separate processes. */
export class CommandLine {
  readonly #started = new Set<Started>();

  constructor(readonly env: Environment) {}

  /** Runs a command until it exits. */
  run(args: readonly string[], env: Environment = {}): Promise<Ended> {
    return run(process.execPath, [MAIN, ...args], {
      env: { ...SETTINGS, ...this.env, ...env },
      limitMs: LIMIT_MS,
    });
  }

  /** Starts a long-running command. */
  start(args: readonly string[], env: Environment = {}): Started {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: ROOT,
      env: { ...process.env, ...SETTINGS, ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const exitCode = once(child, 'close').then(([code]) => code as number | null);
    const started: Started = {
      pid: child.pid ?? 0,
      exitCode,
      stdout: () => stdout,
      stderr: () => stderr,
      printed: (what) =>
        eventually(
          `${args.join(' ')} says ${what.source}`,
          () => {
            if (child.exitCode !== null)
              throw new Error(`${args.join(' ')} ended with ${child.exitCode}:\n${stderr}`);
            return what.test(stdout) || what.test(stderr);
          },
          LIMIT_MS,
        ),
      end: async (signal) => {
        child.kill(signal);
        const late = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
        return exitCode.finally(() => clearTimeout(late));
      },
    };
    this.#started.add(started);
    void exitCode.then(() => this.#started.delete(started));
    return started;
  }

  /** Starts a cluster and waits until it serves. */
  async up(
    env: Environment = {},
    args: readonly string[] = [],
  ): Promise<Started & { readonly ready: Ready }> {
    const port = args.includes('--broker-port') ? [] : ['--broker-port', String(await freePort())];
    const started = this.start(['up', '--json', ...port, ...args], env);
    await started.printed(/^\{"event":"ready".*\n/m);
    return { ...started, ready: JSON.parse(started.stdout()) as Ready };
  }

  isAlive(this: void, pid: number): boolean {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  }

  /** Returns true if no broker serves at this address. */
  async isSilent(address: string): Promise<boolean> {
    return (
      (await waitUntilServing(Number(address.split(':')[1]), new Promise(() => undefined), 200)) === 'silent'
    );
  }

  /** Returns the process id of the Java process below this process. */
  async brokerOf(pid: number): Promise<number> {
    const processes = await listProcesses();
    const below = (parent: number): number[] =>
      processes
        .filter((found) => found.parent === parent)
        .flatMap(({ pid: child }) => [child, ...below(child)]);
    const found = below(pid).find((child) =>
      processes.some((one) => one.pid === child && one.name === 'java'),
    );
    if (found === undefined) throw new Error(`no Java below process ${pid}`);
    return found;
  }

  /** Kills processes that a failed test left behind. */
  async killAll(): Promise<void> {
    await Promise.all([...this.#started].map((started) => started.end('SIGKILL')));
  }
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
}

/** Lists processes from /proc, like `ps`. */
async function listProcesses(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  return stats.flatMap((stat) => {
    const [, pid, name = '', parent] = /^(\d+) \((.*)\) \S (\d+)/s.exec(stat) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), name }];
  });
}
