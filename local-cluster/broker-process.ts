import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { BrokerExit } from './launcher.js';

const keptLines = 20;

export interface GuardedProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<BrokerExit>;
}

/**
 * Starts a command in its own process group, so that Ctrl-C in a terminal reaches only this process, which drains
 * first and then stops the command. Its stdin stays open as long as this process lives.
 */
export function startGuarded(command: string, args: string[], log: (line: string) => void): GuardedProcess {
  const child = spawn(command, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  const lastLines: string[] = [];
  const keep = (line: string): void => {
    log(line);
    if (!isStackFrame(line) && lastLines.push(line) > keptLines) lastLines.shift();
  };
  forEachLine(child.stdout, keep);
  forEachLine(child.stderr, keep);
  // Nothing is ever written, but a pipe with a dead reader emits an error of its own.
  child.stdin.on('error', () => undefined);
  return { child, exited: exitOf(child, lastLines) };
}

function forEachLine(stream: Readable, take: (line: string) => void): void {
  createInterface({ input: stream }).on('line', take);
}

const isStackFrame = (line: string): boolean => /^\s+(at |\.\.\. \d+ more)/.test(line);

function exitOf(child: ChildProcess, lastLines: string[]): Promise<BrokerExit> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, lastLog: error.message }));
    child.once('close', (code, signal) =>
      resolve({ ...unfoldShellStatus(code, signal), lastLog: lastLines.join('\n') }),
    );
  });
}

/** Undoes a shell's encoding of signals: a child killed by signal n is reported as exit code 128 + n. */
function unfoldShellStatus(
  code: number | null,
  signal: NodeJS.Signals | null,
): { code: number | null; signal: NodeJS.Signals | null } {
  const found = Object.entries(constants.signals).find(([, number]) => code === 128 + number);
  return found === undefined ? { code, signal } : { code: null, signal: found[0] as NodeJS.Signals };
}

/** Sends SIGKILL to the whole group of a guarded process: the guard, its command and the watcher of our pipe. */
export function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
