import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { CallGuard } from './call-guard.js';

/** A thread that calls what `call` says within the gate and reports every call that came back. */
function threadWith(gate: CallGuard, call: string): { came: string[]; exited: Promise<number> } {
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(({ CallGuard }) => {
      const gate = new CallGuard(workerData.state);
      gate.pass(() => { ${call} });
      parentPort.postMessage('back');
      setInterval(() => undefined, 1_000);
    });`;
  const module = new URL('call-guard.js', import.meta.url).href;
  const worker = new Worker(source, { eval: true, workerData: { module, state: gate.state } });
  const came: string[] = [];
  worker.on('message', (message: string) => came.push(message));
  return { came, exited: new Promise((resolve) => worker.once('exit', resolve)) };
}

test('what a call gives comes through, also what it throws', () => {
  const gate = new CallGuard();
  assert.equal(
    gate.pass(() => 7),
    7,
  );
  assert.throws(
    () =>
      gate.pass(() => {
        throw new Error('native');
      }),
    /native/,
  );
  assert.equal(gate.shut(), true);
});

test('a gate that is shut during a call lets the call end, and with it the thread', async () => {
  const gate = new CallGuard();
  const sleep =
    'parentPort.postMessage("in"); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);';
  const { came, exited } = threadWith(gate, sleep);
  while (came.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(gate.shut(), false);
  assert.equal(await exited, 0);
  assert.deepEqual(came, ['in']);
});

test('a gate that is shut before a call ends the thread instead', async () => {
  const gate = new CallGuard();
  gate.shut();
  const { came, exited } = threadWith(gate, 'parentPort.postMessage("in");');
  assert.equal(await exited, 0);
  assert.deepEqual(came, []);
});
