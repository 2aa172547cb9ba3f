import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeElements } from '../../schemas/tensor.js';
import type { PartituraError } from '../../schemas/errors.js';
import type { EngineResult, LoadedModel } from './engine.js';
import { createEngine } from './threaded-engine.js';
import { fixture, loadFixture, loadEverywhere, sourceOf, tensor } from '../../testing/engine-models.js';

// More rounds than any machine can finish; unlike a SavedModel, a graph model can be interrupted.
const ENDLESS = 2 ** 30;
// Exceeds the limit below, but finishes within the test: ONNX Runtime cannot be interrupted either.
const LONG = 150_000;
const SHORT_LIMIT_MS = 200;
const RUN_TIMEOUT_MS = 2_000;

const work = (model: LoadedModel, rounds: number): Promise<EngineResult> =>
  model.run([tensor('x', 'INT32', [1], [rounds])]);

test('a batch that exceeds the limit fails, queued batches are retryable, and a new thread takes over', async () => {
  const losses: PartituraError[] = [];
  const engine = await createEngine({
    threads: 1,
    backend: 'tensorflow',
    runTimeoutMs: RUN_TIMEOUT_MS,
    onError: (error) => losses.push(error),
  });
  try {
    const model = await loadFixture(engine, 'endless-graph');
    await work(model, 0);
    const [endless, behind] = await Promise.allSettled([work(model, ENDLESS), work(model, 0)]);
    assert.deepEqual(failureOf(endless), { code: 'MODEL_FAILED', retryable: false });
    assert.deepEqual(failureOf(behind), { code: 'INTERNAL', retryable: true });
    const { outputs } = await work(model, 1);
    assert.deepEqual(decodeElements('INT32', Buffer.from(outputs[0]?.data ?? [])), [1]);
    assert.deepEqual(
      losses.map((error) => error.message),
      [`a run took longer than ${RUN_TIMEOUT_MS} ms`],
    );
  } finally {
    await engine.close();
  }
});

test('other threads keep serving while one is replaced, and the new one loads every model', async () => {
  const engine = await createEngine({
    backend: 'tensorflow',
    threads: 2,
    runTimeoutMs: RUN_TIMEOUT_MS,
  });
  try {
    const [endless, scale] = [
      await loadFixture(engine, 'endless-graph'),
      await loadFixture(engine, 'scale', '2'),
    ];
    const once = () => scale.run([tensor('x', 'FP32', [1, 4], [1, 2, 3, 4])]);
    const lost = work(endless, ENDLESS);
    await once();
    await assert.rejects(lost, { code: 'MODEL_FAILED' });
    await once();
    assert.equal((await Promise.all([once(), once(), once(), once()])).length, 4);
  } finally {
    await engine.close();
  }
});

test('a model that cannot be reloaded does not affect the others', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'partitura-engine-'));
  await cp(fixture('scale', '2'), join(folder, 'removed', '1'), { recursive: true });
  const engine = await createEngine({ threads: 1, backend: 'tensorflow', runTimeoutMs: RUN_TIMEOUT_MS });
  try {
    const [removed, endless] = [
      await loadEverywhere(engine, await sourceOf(join(folder, 'removed', '1'))),
      await loadFixture(engine, 'endless-graph'),
    ];
    await rm(folder, { recursive: true });
    await assert.rejects(work(endless, ENDLESS), { code: 'MODEL_FAILED' });
    await work(endless, 0);
    await assert.rejects(removed.run([tensor('x', 'FP32', [1, 4], [1, 2, 3, 4])]), {
      code: 'MODEL_NOT_READY',
      retryable: true,
    });
  } finally {
    await engine.close();
  }
});

test('a thread lost during an ONNX Runtime call exits after the call without aborting the process', async () => {
  const engine = await createEngine({ threads: 2, runTimeoutMs: SHORT_LIMIT_MS });
  const loaded = await loadFixture(engine, 'endless-onnx');
  for (let round = 0; round < 2; round++) {
    await assert.rejects(work(loaded, LONG), { code: 'MODEL_FAILED', message: /took longer than/ });
    assert.equal((await Promise.all([work(loaded, 1), work(loaded, 1), work(loaded, 1)])).length, 3);
  }
  // The process exits only after the lost threads, so an abort in them would fail this file.
  await engine.close();
});

test('closing during an ONNX Runtime call fails pending runs, and the thread exits afterwards', async () => {
  const engine = await createEngine({ threads: 1, closeTimeoutMs: SHORT_LIMIT_MS });
  const model = await loadFixture(engine, 'endless-onnx');
  const [computing, behind] = [work(model, LONG), work(model, 1)].map((run) => assert.rejects(run));
  await sleep(SHORT_LIMIT_MS);
  await engine.close();
  await Promise.all([computing, behind]);
});

function failureOf(outcome: PromiseSettledResult<EngineResult>): { code: string; retryable: boolean } {
  assert.equal(outcome.status, 'rejected');
  const { code, retryable } = outcome.reason as PartituraError;
  return { code, retryable };
}
