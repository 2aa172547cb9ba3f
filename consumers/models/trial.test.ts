import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine, EngineTensor, LoadedModel, ModelSource } from '../engine/engine.js';
import { tensor } from '../../testing/engine-models.js';
import { silent } from '../../testing/records.js';
import { tryVersion, type Trial } from './trial.js';
import { VerdictMemory } from './verdict-memory.js';

const SOURCE: ModelSource = { model: 'm', version: '1', directory: '/', format: 'graph_model' };

/**
 * Trials of a model that doubles its input and takes so many milliseconds of a clock that stands still otherwise. `moments`
 * counts how often the clock was asked.
 */
function trialsOf(msOfRun: () => number): { start: () => Promise<Trial>; moments: () => number } {
  let time = 0;
  let moments = 0;
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
    verdicts: new VerdictMemory(undefined, silent),
    filesHash: 'abc',
    now: () => {
      moments++;
      return time;
    },
  };
  return { start: () => tryVersion(engine, SOURCE, options), moments: () => moments };
}

test('a proof that time cut short is repeated with twice the time at two more starts, then kept', async () => {
  const { start, moments } = trialsOf(() => 90);
  const runsOfProofs: number[] = [];
  const lengths: number[] = [];
  for (let count = 0; count < 4; count++) {
    const begun = moments();
    const { reason } = (await start()).batching;
    runsOfProofs.push(Number(/(\d+) runs/.exec(reason)?.[1]));
    lengths.push(moments() - begun);
  }
  const [first = 0, second = 0, third = 0, fourth = 0] = runsOfProofs;
  assert.ok(first < second && second < third && third === fourth, String(runsOfProofs));
  assert.equal(lengths[3], 0, 'the clock is not asked where nothing is proven');
});

test('a model that was too slow on a busy machine is proven at a later start', async () => {
  let ms = 900;
  const { start } = trialsOf(() => ms);
  assert.match((await start()).batching.reason, /too slow to be tried within 3 s/);
  ms = 0;
  assert.equal((await start()).batching.batchable, true);
});

test('a model that is always too slow is not batched, and the last start says with how much time', async () => {
  const { start } = trialsOf(() => 9_000);
  const reasons: string[] = [];
  for (let count = 0; count < 4; count++) reasons.push((await start()).batching.reason);
  assert.deepEqual(
    reasons,
    [3, 6, 12, 12].map((seconds) => `could not be tried: too slow to be tried within ${seconds} s`),
  );
});
