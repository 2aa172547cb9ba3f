// `npm start`: runs setup, then the demo. Arguments after `--` are passed to the demo.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setup } from './setup.mjs';
import { runMain } from './setup/errors.mjs';
import { root } from './setup/paths.mjs';

await runMain(async () => {
  await setup({ dev: false, log: (line) => console.error(`setup: ${line}`) });
  return runDemo(process.argv.slice(2));
});

/**
 * Resolves with the exit code of the demo. The demo handles signals itself, so this process waits for its cleanup. Ctrl-C in a
 * terminal reaches the demo directly; other signals are forwarded once.
 */
function runDemo(args) {
  const demo = spawn(process.execPath, [join(root, 'dist', 'cli', 'main.js'), 'demo', ...args], {
    stdio: 'inherit',
  });
  forwardSignals(demo);
  return new Promise((resolve, reject) => {
    demo.once('error', reject);
    demo.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

function forwardSignals(child) {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.removeAllListeners(signal);
    let passed = false;
    process.on(signal, () => {
      const fromTerminal = signal === 'SIGINT' && process.stdin.isTTY;
      if (!passed && !fromTerminal) child.kill(signal);
      passed = true;
    });
  }
}
