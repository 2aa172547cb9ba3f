import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PartituraError } from '../../schemas/errors.js';
import type { EngineResult, EngineTensor } from './engine.js';
import { IsolatedEngine } from './isolated-engine.js';
import { completeOptions } from './options.js';
import { elementsOf, fixture, sourceOf, tensor } from '../../testing/engine-models.js';

const PROCESS_FILE = fileURLToPath(new URL('./process/main.js', import.meta.url));
const isLinux = existsSync('/proc/self/stat');
const needsProc = isLinux ? false : 'requires /proc to find child processes';

/** Returns the pids of a process's engine processes. */
function computing(parent = process.pid): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const [, ppid] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
        return Number(ppid) === parent && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(PROCESS_FILE);
      } catch {
        return false;
      }
    });
}

const isRunning = (pid: number): boolean => existsSync(`/proc/${pid}`);

async function gone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 100 && isRunning(pid); tries++) await sleep(100);
  return !isRunning(pid);
}

describe('an engine in a child process', () => {
  const engine = new IsolatedEngine(completeOptions({}));
  after(() => engine.close());
  const bomb = (): EngineTensor[] => [
    tensor('a', 'INT32', [1], [-(2 ** 31)]),
    tensor('b', 'INT32', [1], [-1]),
  ];
  const row = (): EngineTensor[] => [tensor('x', 'FP32', [1, 4], [1, 2, 3, 4])];

  test('models loaded concurrently share one process', { skip: needsProc }, async () => {
    const names = ['scale-onnx', 'sum-onnx', 'int64-onnx'];
    const sources = await Promise.all(names.map((name) => sourceOf(fixture(name))));
    const models = await Promise.all(sources.map((source) => engine.load(source)));
    assert.equal(computing().length, 1);
    await Promise.all(models.map((model) => model.unload()));
  });

  test('a run that crashes the process is the only one to fail, and one process replaces it', async () => {
    const [divide, scale] = await Promise.all(
      ['divide-onnx', 'scale-onnx'].map(async (name) => engine.load(await sourceOf(fixture(name)))),
    );
    assert.ok(divide && scale);
    for (let crash = 0; crash < 3; crash++) {
      const [crashed, ...answered]: [string, EngineResult, EngineResult] = await Promise.all([
        divide.run(bomb()).then(
          () => 'answered',
          ({ code }: PartituraError) => code,
        ),
        scale.run(row()),
        scale.run(row()),
      ]);
      assert.equal(crashed, 'MODEL_CRASHED');
      for (const { outputs } of answered) assert.deepEqual(elementsOf(outputs[0]), [1, 2, 3, 4]);
      if (isLinux) assert.equal(computing().length, 1);
    }
    await Promise.all([divide.unload(), scale.unload()]);
  });

  test('batches sent in one message each have their result or their error, in order', async () => {
    const [scale, divide] = await Promise.all(
      ['scale-onnx', 'divide-onnx'].map(async (name) => engine.load(await sourceOf(fixture(name)))),
    );
    assert.ok(scale && divide);
    const wrong = [tensor('x', 'FP32', [1, 3], [1, 2, 3])];
    const results = await scale.runEach?.([row(), wrong, row()], 10_000);
    const [first, refused, last] = results ?? [];
    assert.ok(refused instanceof PartituraError && refused.code === 'MODEL_FAILED');
    assert.match(refused.message, /model 'scale-onnx' version 1: /);
    for (const result of [first, last]) {
      assert.ok(result && !(result instanceof PartituraError));
      assert.deepEqual(elementsOf(result.outputs[0]), [1, 2, 3, 4]);
    }
    await assert.rejects(async () => divide.runEach?.([bomb(), bomb()], 10_000), { code: 'MODEL_CRASHED' });
    await Promise.all([scale.unload(), divide.unload()]);
  });

  test('a process that exits during startup is not blamed on the model', { skip: needsProc }, async () => {
    const starting = new IsolatedEngine(completeOptions({}));
    const known = computing();
    const loading = starting.load(await sourceOf(fixture('scale-onnx')));
    const failed = assert.rejects(loading, { code: 'INTERNAL', message: /could not start a child process/ });
    for (let tries = 0; tries < 200; tries++) {
      const pid = computing().find((one) => !known.includes(one));
      if (pid !== undefined) {
        process.kill(pid, 'SIGKILL');
        break;
      }
      await sleep(5);
    }
    await failed;
    await starting.close();
  });

  test('a process whose node is killed during startup exits as well', { skip: needsProc }, async () => {
    const data = { backend: 'auto', startTimeoutMs: 60_000, requestTimeoutMs: 60_000 };
    const parent = `
      const { spawn } = require('node:child_process');
      const args = [${JSON.stringify(PROCESS_FILE)}, ${JSON.stringify(JSON.stringify(data))}];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], serialization: 'advanced' });
      console.log(child.pid);
      process.stdout.write('', () => process.kill(process.pid, 'SIGKILL'));`;
    const node = spawn(process.execPath, ['-e', parent], { stdio: ['ignore', 'pipe', 'ignore'] });
    let printed = '';
    node.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
    await once(node, 'close');
    const pid = Number(printed);
    assert.ok(pid > 0);
    const ended = await gone(pid);
    if (!ended) process.kill(pid, 'SIGKILL');
    assert.ok(ended, 'the process outlived the node');
  });
});
