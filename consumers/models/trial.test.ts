import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine, EngineTensor, LoadedModel, ModelSource } from '../engine/engine.js';
import { tensor } from '../../testing/engine-models.js';
import { silent } from '../../testing/records.js';
import { tryVersion, type Trial } from './trial.js';
import { VerdictCache } from './verdict-cache.js';

const SOURCE: ModelSource = { model: 'm', version: '1', directory: '/', format: 'graph_model' };

/**
 * Creates trials of a model that doubles its input; each run advances the clock by the given milliseconds. `clockReads`
 * counts the reads of the clock.
 */
function trialsOf(msOfRun: () => number): { start: () => Promise<Trial>; clockReads: () => number } {
  let time = 0;
  let clockReads = 0;
  const spec = { datatype: 'FP32' as const, shape: [-1] };
  const loaded: Partial<LoadedModel> = {
    backend: 'onnxruntime',
    signature: { inputs: [{ ...spec, name: 'x' }], outputs: [{ ...spec, name: 'y' }] },
    run: ([input]: readonly EngineTensor[]) => {
      time += msOfRun();
      const rows = [...new Float32Array(input?.data.buffer ?? new ArrayBuffer(0))];
      const doubled = rows.map((row) => 2 * row);
      return Promise.resolve({ outputs: [tensor('y', 'FP32', [rows.length], doubled)], computeMicros: 1 });
    },
    unload: () => Promise.resolve(),
  };
  const engine = { load: () => Promise.resolve(loaded) } as unknown as Engine;
  const options = {
    settings: {},
    maxBatchRows: 64,
    verdicts: new VerdictCache(undefined, silent),
    filesHash: 'abc',
    now: () => {
      clockReads++;
      return time;
    },
  };
  return { start: () => tryVersion(engine, SOURCE, options), clockReads: () => clockReads };
}

test('a proof cut short by time is repeated with twice the time at two more starts, then kept', async () => {
  const { start, clockReads } = trialsOf(() => 90);
  const runsOfProofs: number[] = [];
  const lengths: number[] = [];
  for (let count = 0; count < 4; count++) {
    const startedAt = clockReads();
    const { reason } = (await start()).batching;
    runsOfProofs.push(Number(/(\d+) runs/.exec(reason)?.[1]));
    lengths.push(clockReads() - startedAt);
  }
  const [first = 0, second = 0, third = 0, fourth = 0] = runsOfProofs;
  assert.ok(first < second && second < third && third === fourth, String(runsOfProofs));
  assert.equal(lengths[3], 0, 'without a proof the clock is not read');
});

test('a model that was too slow on a busy host is proven at a later start', async () => {
  let ms = 900;
  const { start } = trialsOf(() => ms);
  assert.match((await start()).batching.reason, /trial runs exceeded 3 s/);
  ms = 0;
  assert.equal((await start()).batching.batchable, true);
});

test('a model that is always too slow is not batched, and the reason has the last time limit', async () => {
  const { start } = trialsOf(() => 9_000);
  const reasons: string[] = [];
  for (let count = 0; count < 4; count++) reasons.push((await start()).batching.reason);
  assert.deepEqual(
    reasons,
    [3, 6, 12, 12].map((seconds) => `not verified: trial runs exceeded ${seconds} s`),
  );
});
