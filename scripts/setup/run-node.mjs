// Runs Node programs of the checkout and stops them when this process exits.
import { spawn } from 'node:child_process';
import { root } from './paths.mjs';

const children = new Set();
process.on('exit', () => children.forEach((child) => child.kill('SIGTERM')));

/** Resolves true if the program exits with code 0. */
export function runNode(args, env = {}) {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  children.add(child);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => (children.delete(child), resolve(code === 0)));
  });
}
