import { spawn } from 'node:child_process';
import { SetupError } from './errors.mjs';
import { root } from './paths.mjs';

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** Keeps the first and last lines, since programs print the cause in either. */
function shorten(text) {
  const lines = text.trimEnd().split('\n');
  return lines.length <= 40 ? lines.join('\n') : [...lines.slice(0, 15), '…', ...lines.slice(-25)].join('\n');
}

/**
 * Runs a command and returns its stdout. The output is shown only on failure.
 * Throws SetupError if it cannot be started, exits with a nonzero code, or exceeds `limitMs`.
 */
export function run(command, args, { what, limitMs, cwd = root, env = process.env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let stdout = '';
    let output = '';
    let late = false;
    child.stdout.setEncoding('utf8').on('data', (text) => ((stdout += text), (output += text)));
    child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
    const timer = setTimeout(() => ((late = true), child.kill('SIGKILL')), limitMs);
    const finish = (failure) => {
      clearTimeout(timer);
      running.delete(child);
      if (failure === undefined) return resolve(stdout);
      reject(new SetupError(`${what} failed: ${command} ${failure}\n${shorten(output)}`.trimEnd()));
    };
    child.on('error', (error) => finish(`cannot be started: ${error.message}`));
    child.on('close', (code, signal) => {
      if (late) finish(`timed out after ${limitMs / 1000} s`);
      else finish(code === 0 ? undefined : `exited with ${signal ?? `code ${code}`}`);
    });
  });
}
