// `npm start`: set-up, then the demonstration. What follows `--` is passed on to it.
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
 * Resolves with the demonstration's exit code. It has handlers of its own for the signals, so we stay until it has
 * cleaned up. A terminal's Ctrl-C reaches it without us; what was sent to us alone is passed on, once.
 */
function runDemo(args) {
  const demo = spawn(process.execPath, [join(root, 'dist', 'cli', 'main.js'), 'demo', ...args], {
    stdio: 'inherit',
  });
  passOnSignals(demo);
  return new Promise((resolve, reject) => {
    demo.once('error', reject);
    demo.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

function passOnSignals(child) {
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
