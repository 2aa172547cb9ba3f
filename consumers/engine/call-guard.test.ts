import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { CallGuard } from './call-guard.js';

/** Starts a thread that runs the source text `call` through the guard and reports when it returns. */
function threadWith(guard: CallGuard, call: string): { came: string[]; exited: Promise<number> } {
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(({ CallGuard }) => {
      const guard = new CallGuard(workerData.state);
      guard.pass(() => { ${call} });
      parentPort.postMessage('back');
      setInterval(() => undefined, 1_000);
    });`;
  const module = new URL('call-guard.js', import.meta.url).href;
  const worker = new Worker(source, { eval: true, workerData: { module, state: guard.state } });
  const came: string[] = [];
  worker.on('message', (message: string) => came.push(message));
  return { came, exited: new Promise((resolve) => worker.once('exit', resolve)) };
}

test('results and errors of a call are passed through', () => {
  const guard = new CallGuard();
  assert.equal(
    guard.pass(() => 7),
    7,
  );
  assert.throws(
    () =>
      guard.pass(() => {
        throw new Error('native');
      }),
    /native/,
  );
  assert.equal(guard.shut(), true);
});

test('shutting the guard during a call lets the call finish and then exits the thread', async () => {
  const guard = new CallGuard();
  const sleep =
    'parentPort.postMessage("in"); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);';
  const { came, exited } = threadWith(guard, sleep);
  while (came.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(guard.shut(), false);
  assert.equal(await exited, 0);
  assert.deepEqual(came, ['in']);
});

test('a call after the guard was shut exits the thread instead', async () => {
  const guard = new CallGuard();
  guard.shut();
  const { came, exited } = threadWith(guard, 'parentPort.postMessage("in");');
  assert.equal(await exited, 0);
  assert.deepEqual(came, []);
});
