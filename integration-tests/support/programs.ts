import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export interface Ended {
  /** The exit code; null if it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Merged over the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly limitMs?: number;
  /** Default: the root of the checkout. */
  readonly cwd?: string;
}

/** Runs a program until it exits with any code. @throws Error if it cannot be started or exceeds `limitMs` */
export function run(
  command: string,
  args: readonly string[],
  { env = {}, limitMs = 30_000, cwd = ROOT }: RunOptions = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const options = {
      maxBuffer: MAX_OUTPUT_BYTES,
      cwd,
      env: { ...process.env, ...env },
      timeout: limitMs,
      killSignal: 'SIGKILL' as const,
    };
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (error?.killed)
        reject(new Error(`${command} ${args.join(' ')} timed out after ${limitMs} ms:\n${stdout}${stderr}`));
      else if (child.pid === undefined) reject(new Error(`${command} cannot be started`, { cause: error }));
      else resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

/** Returns the reason why these programs cannot be run; undefined if all run. */
export async function missing(...commands: readonly (readonly string[])[]): Promise<string | undefined> {
  for (const [command = '', ...args] of commands) {
    const ended = await run(command, args).catch((error: Error) => error.message);
    if (typeof ended === 'string') return `no ${command} here: ${ended}`;
    if (ended.code !== 0) return `${command} ${args.join(' ')} failed: ${ended.stderr.trim()}`;
  }
  return undefined;
}
