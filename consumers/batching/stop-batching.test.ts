import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobOf } from '../../testing/records.js';
import type { BatchWatch, WatchedSlice } from './watch.js';
import { Batcher } from './batcher.js';
import { answerOf, batching, elementsOf, errorOf, LIMITS } from '../../testing/batching.js';
import { HeldEngine, ManualClock } from '../../testing/records.js';

test('a job without rows is answered, batchable or not', async () => {
  for (const batchable of [true, false]) {
    const { clock, engine, batcher } = batching({ batchable });
    const job = jobOf([]);
    batcher.submit(job);
    await clock.pass();
    engine.batches[0]?.echo();
    await clock.pass();
    assert.deepEqual(answerOf(job), []);
    await batcher.drained();
    assert.ok(Number.isFinite(batcher.microsPerRow));
  }
});

test('jobs of an unbatched model are computed one by one, including empty ones', async () => {
  const { clock, engine, batcher, rowsOfBatches } = batching({ batchable: false });
  for (const job of [jobOf([]), jobOf([1]), jobOf([2, 3, 4, 5, 6])]) batcher.submit(job);
  for (let turn = 0; turn < 3; turn++) {
    await clock.pass();
    engine.batches[turn]?.echo();
  }
  assert.deepEqual(rowsOfBatches(), [0, 1, 5]);
});

test('the expected wait of an unbatched model counts jobs', async () => {
  const { clock, batcher } = batching({ batchable: false, maxBatchRows: 1 });
  batcher.prime(1_000, 5_000);
  for (let job = 0; job < 3; job++) batcher.submit(jobOf([1, 2, 3, 4]));
  await clock.pass();
  assert.equal(batcher.expectedWaitMs, 15, 'one is under way and two wait');
});

test('an output with another number of rows turns batching off, and the jobs are computed alone', async () => {
  const clock = new ManualClock();
  const engine = new HeldEngine();
  const reasons: string[] = [];
  const watch: BatchWatch = {
    isDue: () => false,
    take: () => undefined,
    idle: () => undefined,
    refute: (reason) => {
      reasons.push(reason);
      batcher.stopBatching();
    },
  };
  const batcher = new Batcher(engine.run, LIMITS, { clock, watch });
  const jobs = [jobOf([1]), jobOf([2])];
  for (const job of jobs) batcher.submit(job);
  await clock.pass();
  engine.batches[0]?.shorten(1);
  await clock.pass();
  for (let turn = 1; turn < 3; turn++) {
    engine.batches[turn]?.echo();
    await clock.pass();
  }
  assert.deepEqual(reasons, ["output 'x': expected 2 rows, got shape [1,1]"]);
  assert.deepEqual(jobs.map(answerOf), [[1], [2]]);
});

test('when batching is turned off, queued jobs are computed alone, cut ones whole', async () => {
  const { clock, engine, batcher, rowsOfBatches } = batching();
  const first = jobOf([0]);
  batcher.submit(first);
  await clock.pass();
  const [short, other, long] = [jobOf([1]), jobOf([2]), jobOf([3, 4, 5, 6, 7, 8])];
  for (const job of [short, other, long]) batcher.submit(job);
  batcher.stopBatching();
  for (let turn = 0; turn < 4; turn++) {
    engine.batches[turn]?.echo();
    await clock.pass();
  }
  assert.deepEqual(rowsOfBatches(), [1, 1, 1, 6]);
  assert.deepEqual([first, short, other, long].map(answerOf), [[0], [1], [2], [3, 4, 5, 6, 7, 8]]);
  await batcher.drained();
});

test('a batch in flight when batching is turned off is discarded, and its jobs are computed alone', async () => {
  const { clock, engine, batcher, rowsOfBatches } = batching();
  const jobs = [jobOf([1]), jobOf([2])];
  for (const job of jobs) batcher.submit(job);
  await clock.pass();
  batcher.stopBatching();
  engine.batches[0]?.echo();
  await clock.pass();
  assert.deepEqual(
    jobs.flatMap(({ answers }) => answers),
    [],
  );
  for (let turn = 1; turn < 3; turn++) {
    engine.batches[turn]?.echo();
    await clock.pass();
  }
  assert.deepEqual(rowsOfBatches(), [2, 1, 1]);
  assert.deepEqual(jobs.map(answerOf), [[1], [2]]);
});

test('a partly answered job is computed again as a whole, once', async () => {
  const { clock, engine, batcher, rowsOfBatches } = batching({ parallelism: 2 });
  const long = jobOf([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  batcher.submit(long);
  await clock.pass();
  engine.batches[0]?.echo();
  await clock.pass();
  batcher.stopBatching();
  for (let turn = 1; turn < 6; turn++) {
    engine.batches[turn]?.echo();
    await clock.pass();
  }
  assert.deepEqual(rowsOfBatches(), [4, 4, 1, 9]);
  assert.deepEqual(answerOf(long), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await batcher.drained();
});

test('a batch that fails after batching was turned off is computed job by job', async () => {
  const { clock, engine, batcher } = batching();
  const jobs = [jobOf([1]), jobOf([2])];
  for (const job of jobs) batcher.submit(job);
  await clock.pass();
  batcher.stopBatching();
  engine.batches[0]?.fail(new Error('refused'));
  await clock.pass();
  engine.batches[1]?.fail(new Error('refused again'));
  await clock.pass();
  engine.batches[2]?.echo();
  await clock.pass();
  const [bad, good] = jobs;
  assert.ok(bad && good);
  assert.equal(errorOf(bad).message, 'refused again');
  assert.deepEqual(answerOf(good), [2]);
});

test('a watch sees shared and cut batches, and idle times', async () => {
  const seen: unknown[] = [];
  const watch: BatchWatch = {
    isDue: () => true,
    take: (slices: readonly WatchedSlice[]) =>
      void seen.push(
        slices.map(({ inputs, start, rows, outputs }) => [
          elementsOf(inputs[0]),
          start,
          rows,
          elementsOf(outputs[0]),
        ]),
      ),
    idle: () => void seen.push('idle'),
    refute: () => undefined,
  };
  const [clock, engine] = [new ManualClock(), new HeldEngine()];
  const batcher = new Batcher(engine.run, LIMITS, { clock, watch });
  batcher.submit(jobOf([1, 2]));
  await clock.pass();
  batcher.submit(jobOf([3]));
  batcher.submit(jobOf([4, 5]));
  for (let turn = 0; turn < 2; turn++) {
    engine.batches[turn]?.echo();
    await clock.pass();
  }
  assert.deepEqual(seen, [
    [
      [[3], 0, 1, [3]],
      [[4, 5], 0, 2, [4, 5]],
    ],
    'idle',
  ]);
});
