import { spawn } from 'node:child_process';
import { SetupError } from './errors.mjs';
import { root } from './paths.mjs';

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** The cause stands in the first lines of some programs and in the last of others. */
function shorten(text) {
  const lines = text.trimEnd().split('\n');
  return lines.length <= 40 ? lines.join('\n') : [...lines.slice(0, 15), '…', ...lines.slice(-25)].join('\n');
}

/**
 * Runs a command to its end and returns what it wrote to stdout. Its output is shown only when it fails.
 * Throws SetupError when it can't be started, exits with another code than 0, or outlives `limitMs`.
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
    child.on('error', (error) => finish(`can't be started: ${error.message}`));
    child.on('close', (code, signal) => {
      if (late) finish(`did not end within ${limitMs / 1000} s`);
      else finish(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}
