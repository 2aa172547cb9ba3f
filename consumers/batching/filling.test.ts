import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldEngine, ManualClock, int32, jobOf, settle } from '../../testing/records.js';
import { Batcher } from './batcher.js';
import { LIMITS, answerOf, batching, elementsOf } from '../../testing/batching.js';

test('an idle engine starts at once, with all jobs of one fetch in one batch', async () => {
  const { clock, batcher, rowsOfBatches } = batching();
  batcher.submit(jobOf([1]));
  batcher.submit(jobOf([2]));
  await clock.pass();
  assert.deepEqual(rowsOfBatches(), [2]);
});

test('batches grow while the engine is busy, and each job gets its rows', async () => {
  const { clock, engine, batcher, rowsOfBatches } = batching();
  const jobs = [[1], [2, 3], [4]].map((elements) => jobOf(elements));
  for (const job of jobs) {
    batcher.submit(job);
    await clock.pass();
  }
  assert.deepEqual(rowsOfBatches(), [1]);
  for (let index = 0; index < 2; index++) {
    engine.batches[index]?.echo();
    await clock.pass();
  }
  assert.deepEqual(rowsOfBatches(), [1, 3]);
  assert.deepEqual(jobs.map(answerOf), [[1], [2, 3], [4]]);
});

test('a full batch leaves the rest to the next', async () => {
  const { clock, engine, batcher, rowsOfBatches } = batching();
  for (const elements of [[1, 2], [3], [4, 5], [6]]) batcher.submit(jobOf(elements));
  await clock.pass();
  engine.batches[0]?.echo();
  await clock.pass();
  assert.deepEqual(rowsOfBatches(), [3, 3]);
});

test('jobs of different shapes never share a batch, and the oldest goes first', async () => {
  const { clock, engine, batcher } = batching();
  batcher.submit(jobOf([0], { laneKey: 'busy', arrivedAt: -20 }));
  await clock.pass();
  for (const [index, laneKey] of ['b', 'a', 'b', 'a'].entries()) {
    batcher.submit(jobOf([index], { laneKey, arrivedAt: index - 10 }));
  }
  for (let index = 0; index < 3; index++) {
    engine.batches[index]?.echo();
    await clock.pass();
  }
  assert.deepEqual(
    engine.batches.map(({ inputs }) =>
      elementsOf(inputs[0] && { ...inputs[0], data: Buffer.from(inputs[0].data) }),
    ),
    [[0], [0, 2], [1, 3]],
  );
});

test('jobs that must be alone share no batch, are not cut, and lose nothing when batching ends', async () => {
  const { clock, engine, batcher, rowsOfBatches } = batching({ maxBatchRows: 2 });
  const jobs = [[1], [2, 3, 4], [5], [6]].map((elements, index) =>
    jobOf(elements, { mustBeAlone: index > 0, arrivedAt: index - 10 }),
  );
  for (const job of jobs) batcher.submit(job);
  for (let batch = 0; batch < 2; batch++) {
    await clock.pass();
    engine.batches[batch]?.echo();
  }
  batcher.stopBatching();
  for (let batch = 2; batch < 4; batch++) {
    await clock.pass();
    engine.batches[batch]?.echo();
  }
  await clock.pass();
  assert.deepEqual(rowsOfBatches(), [1, 3, 1, 1]);
  assert.deepEqual(jobs.map(answerOf), [[1], [2, 3, 4], [5], [6]]);
});

test('a model with a fixed first dimension runs each job alone', async () => {
  const { clock, engine, batcher } = batching({ batchable: false, parallelism: 2, maxBatchRows: 1 });
  const inputs = [int32('a', [2, 3], [1, 2, 3, 4, 5, 6]), int32('b', [3, 1], [7, 8, 9])];
  for (let index = 0; index < 2; index++) batcher.submit(jobOf([], { inputs, rows: 2 }));
  await clock.pass();
  const shapes = engine.batches.map((batch) => batch.inputs.map(({ shape }) => shape));
  assert.deepEqual(shapes, [
    [
      [2, 3],
      [3, 1],
    ],
    [
      [2, 3],
      [3, 1],
    ],
  ]);
});

test('merged inputs own their memory, because it is transferred', async () => {
  const { clock, engine, batcher } = batching();
  const job = jobOf([1]);
  batcher.submit(job);
  await clock.pass();
  const data = engine.batches[0]?.inputs[0]?.data;
  assert.deepEqual([data?.byteOffset, data?.buffer.byteLength], [0, data?.byteLength]);
  assert.notEqual(data?.buffer, job.inputs[0]?.data.buffer);
});

test('concurrent batches are limited by parallelism', async () => {
  const { clock, engine, batcher, rowsOfBatches } = batching({ parallelism: 2 });
  for (let index = 0; index < 3; index++) batcher.submit(jobOf([1, 2, 3, 4]));
  await clock.pass();
  assert.deepEqual(rowsOfBatches(), [4, 4]);
  engine.batches[1]?.echo();
  await clock.pass();
  assert.deepEqual(rowsOfBatches(), [4, 4, 4]);
});

test('an extra batch is prefetched if enough rows are queued, without reducing the expected wait', async () => {
  const { clock, batcher, rowsOfBatches } = batching({ prefetchRows: 3 });
  batcher.prime(250, 1_000);
  batcher.submit(jobOf([1, 2]));
  await clock.pass();
  batcher.submit(jobOf([1, 2]));
  await clock.pass();
  assert.deepEqual(rowsOfBatches(), [2], 'too few rows wait here for more');
  for (let index = 0; index < 3; index++) batcher.submit(jobOf([1, 2]));
  await clock.pass();
  assert.deepEqual(rowsOfBatches(), [2, 4]);
  assert.equal(batcher.expectedWaitMs, 3);
});

test('no batch runs while there is no room for its results', async () => {
  const clock = new ManualClock();
  const engine = new HeldEngine();
  let release: () => void = () => undefined;
  let room: Promise<void> | undefined = new Promise((resolve) => (release = resolve));
  const batcher = new Batcher(engine.run, LIMITS, { clock, whenBelowLimit: () => room });
  batcher.submit(jobOf([1]));
  await clock.pass();
  batcher.submit(jobOf([2]));
  await clock.pass();
  assert.equal(engine.batches.length, 0);
  room = undefined;
  release();
  await settle();
  await clock.pass();
  assert.deepEqual(
    engine.batches.map(({ rows }) => rows),
    [2],
  );
});
