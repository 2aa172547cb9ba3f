import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartituraError } from '../../schemas/errors.js';
import type { EngineTensor, LoadedModel, ModelSignature } from '../engine/engine.js';
import {
  batchSizes,
  bestBatch,
  bytesPerRow,
  gainOfThreads,
  isWorthMoreCores,
  timeBatches,
  type BatchTime,
} from './batch-times.js';

const BUDGET_MS = 100;
const SIGNATURE: ModelSignature = {
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [-1, 4, -1] },
    { name: 'text', datatype: 'BYTES', shape: [-1] },
  ],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
};

/** A model with given run times; the clock advances only with its runs. */
class TimedModel implements LoadedModel {
  readonly signature = SIGNATURE;
  readonly backend = 'onnxruntime';
  readonly loadMs = 0;
  readonly isInline = false;
  readonly threads = 1;
  readonly ran: number[] = [];
  time = 0;
  inputs: readonly EngineTensor[] = [];
  readonly now = (): number => this.time;

  constructor(readonly microsFor: (rows: number) => number) {}

  run(inputs: readonly EngineTensor[]): ReturnType<LoadedModel['run']> {
    const rows = inputs[0]?.shape[0] ?? 0;
    const computeMicros = this.microsFor(rows);
    this.ran.push(rows);
    this.inputs = inputs;
    this.time += computeMicros / 1_000;
    return Promise.resolve({ outputs: [], computeMicros });
  }

  moveInline(): Promise<void> {
    return Promise.resolve();
  }

  replicateToAllThreads(): Promise<void> {
    return Promise.resolve();
  }

  shrinkToOneThread(): Promise<void> {
    return Promise.resolve();
  }

  unload(): Promise<void> {
    return Promise.resolve();
  }
}

const times = (...pairs: readonly (readonly [number, number])[]): BatchTime[] =>
  pairs.map(([rows, micros]) => ({ rows, micros }));
const measured = (model: TimedModel, sizes = batchSizes(256, 20)): ReturnType<typeof timeBatches> =>
  timeBatches(model, sizes, BUDGET_MS, model.now);

test('sizes grow by a factor of four up to the largest batch', () => {
  assert.deepEqual(batchSizes(256, 4), [1, 4, 16, 64, 256]);
  assert.deepEqual(batchSizes(100, 4), [1, 4, 16, 64, 100]);
  assert.deepEqual(batchSizes(1, 4), [1]);
});

test('large rows are measured in small batches', () => {
  assert.deepEqual(batchSizes(256, 8 * 2 ** 20), [1, 4]);
  assert.deepEqual(batchSizes(256, 2 ** 30), [1]);
});

test('open dimensions count as one, strings as their length prefixes', () => {
  assert.equal(bytesPerRow(SIGNATURE.inputs), 4 * 4 + 4);
});

test('the best batch is the smallest one close to the best throughput', () => {
  assert.deepEqual(bestBatch(times([1, 100], [4, 110], [16, 120], [64, 470])), { rows: 16, micros: 120 });
  assert.deepEqual(bestBatch(times([1, 100], [4, 110], [16, 400])), { rows: 16, micros: 400 });
  assert.equal(bestBatch([]), undefined);
});

test('more cores must pay off, and a model that ran is preferred to one that did not', () => {
  assert.equal(isWorthMoreCores(times([64, 100]), times([64, 105])), false);
  assert.equal(isWorthMoreCores(times([64, 100]), times([64, 115])), true);
  assert.equal(isWorthMoreCores(times([64, 100]), []), true);
  assert.equal(isWorthMoreCores([], times([64, 100])), false);
});

test('every size is run several times and the shortest run counts', async () => {
  let run = 0;
  const model = new TimedModel((rows) => rows * 10 + (run++ % 2) * 5);
  assert.deepEqual(
    (await measured(model)).times,
    times([1, 10], [4, 40], [16, 160], [64, 640], [256, 2_560]),
  );
  assert.ok(model.ran.length > 10);
});

test('inputs are zeros of the declared types with the given number of rows', async () => {
  const model = new TimedModel(() => 1);
  await measured(model, [3]);
  assert.deepEqual(
    model.inputs.map(({ shape, data }) => [shape, data.length, data.every((byte) => byte === 0)]),
    [
      [[3, 4, 1], 48, true],
      [[3], 12, true],
    ],
  );
});

test('no larger size is run once a batch takes too long', async () => {
  const model = new TimedModel((rows) => rows * 20_000);
  assert.deepEqual((await measured(model)).times, times([1, 20_000]));
  const slow = new TimedModel(() => 60_000);
  assert.deepEqual((await measured(slow)).times, times([1, 60_000]));
  assert.deepEqual(slow.ran, [1, 1]);
});

test('the budget is never exceeded', async () => {
  for (const micros of [1, 100, 5_000, 12_000]) {
    const model = new TimedModel((rows) => micros * Math.sqrt(rows));
    await measured(model);
    assert.ok(model.time <= BUDGET_MS, `${model.time} ms`);
  }
});

test('a failed size is reported as a problem, and earlier measurements are kept', async () => {
  const model = new TimedModel((rows) => {
    if (rows > 4) throw new Error(`cannot compute ${rows} rows`);
    return 10;
  });
  assert.deepEqual(await measured(model), {
    times: times([1, 10], [4, 10]),
    problem: new PartituraError('MODEL_FAILED', 'a batch of 16: cannot compute 16 rows'),
  });
});

test('the gain of threads is measured if there is time', async () => {
  const model = new TimedModel(() => 1_000);
  const gain = (micros: number): Promise<number | null> =>
    gainOfThreads(model, { rows: 4, micros }, { threads: 2, budgetMs: BUDGET_MS }, model.now);
  assert.equal(await gain(1_000), 1);
  assert.equal(await gain(30_000), null);
});
