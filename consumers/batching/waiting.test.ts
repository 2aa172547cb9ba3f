import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobOf } from '../../testing/records.js';
import { answerOf, batching, errorOf } from '../../testing/batching.js';
import { CancelledError } from './batch.js';

test('with a delay, a batch closes when its oldest job has waited that long or it is full', async () => {
  const { clock, engine, batcher, rowsOfBatches } = batching({ maxBatchDelayMs: 10 });
  batcher.submit(jobOf([1], { arrivedAt: 0 }));
  await clock.pass(9);
  assert.deepEqual(rowsOfBatches(), []);
  await clock.pass(1);
  assert.deepEqual(rowsOfBatches(), [1]);
  engine.batches[0]?.echo();
  await clock.pass();
  batcher.submit(jobOf([1, 2, 3, 4], { arrivedAt: clock.time }));
  await clock.pass();
  assert.deepEqual(rowsOfBatches(), [1, 4]);
});

test('a full lane does not wait for an older one that is filling', async () => {
  const { clock, batcher, rowsOfBatches } = batching({ maxBatchDelayMs: 10 });
  batcher.submit(jobOf([1], { laneKey: 'rare', arrivedAt: 0 }));
  await clock.pass(1);
  batcher.submit(jobOf([1, 2, 3, 4], { laneKey: 'common', arrivedAt: 1 }));
  await clock.pass();
  assert.deepEqual(rowsOfBatches(), [4]);
});

test('a job whose deadline passes before its batch closes is refused', async () => {
  const { clock, engine, batcher } = batching();
  batcher.submit(jobOf([0]));
  await clock.pass();
  const [late, timely] = [jobOf([1], { deadline: 5 }), jobOf([2], { deadline: 6 })];
  batcher.submit(late);
  batcher.submit(timely);
  clock.time = 6;
  engine.batches[0]?.echo();
  await clock.pass();
  assert.equal(errorOf(late).code, 'DEADLINE_EXCEEDED');
  engine.batches[1]?.echo();
  await clock.pass();
  assert.deepEqual(answerOf(timely), [2]);
});

test('a batch of expired jobs does not occupy the engine', async () => {
  const { clock, engine, batcher } = batching({ maxBatchRows: 1 });
  batcher.submit(jobOf([0]));
  await clock.pass();
  const late = jobOf([1], { deadline: 5 });
  const next = jobOf([2]);
  batcher.submit(late);
  batcher.submit(next);
  clock.time = 6;
  engine.batches[0]?.echo();
  await clock.pass();
  engine.batches[1]?.echo();
  await clock.pass();
  assert.deepEqual([errorOf(late).code, answerOf(next)], ['DEADLINE_EXCEEDED', [2]]);
});

test('the expected wait counts full batches ahead, once service times are known', async () => {
  const { clock, batcher } = batching({ parallelism: 2 });
  for (let index = 0; index < 4; index++) batcher.submit(jobOf([1, 2, 3, 4]));
  assert.equal(batcher.expectedWaitMs, 0);
  batcher.prime(2_500, 10_000);
  await clock.pass();
  assert.deepEqual([batcher.expectedWaitMs, batcher.microsPerRow], [20, 2_500]);
});

test('primed service times apply until batches are measured', async () => {
  const { clock, engine, batcher } = batching();
  batcher.prime(50, 2_000);
  for (let index = 0; index < 2; index++) batcher.submit(jobOf([1, 2, 3, 4]));
  assert.deepEqual([batcher.expectedWaitMs, batcher.microsPerRow], [4, 50]);
  await clock.pass();
  engine.batches[0]?.echo();
  await clock.pass();
  assert.equal(batcher.microsPerRow, 50 + 0.2 * (250 - 50));
});

test('it is drained when nothing is queued or in flight', async () => {
  const { clock, engine, batcher } = batching();
  let drained = false;
  await batcher.drained();
  batcher.submit(jobOf([1]));
  void batcher.drained().then(() => (drained = true));
  await clock.pass();
  assert.equal(drained, false);
  engine.batches[0]?.echo();
  await clock.pass();
  assert.equal(drained, true);
});

test('a job that is cancelled before its batch closes is not computed; one in a batch is answered', async () => {
  const { clock, engine, batcher, rowsOfBatches } = batching({ maxBatchRows: 2 });
  let isCancelled = false;
  const cancelling = { isCancelled: () => isCancelled };
  const running = jobOf([1], cancelling);
  batcher.submit(running);
  await clock.pass();
  const waiting = jobOf([2], cancelling);
  const cut = jobOf([3, 4, 5], cancelling);
  const other = jobOf([6]);
  for (const job of [waiting, cut, other]) batcher.submit(job);
  isCancelled = true;
  engine.batches[0]?.echo();
  await clock.pass();
  engine.batches[1]?.echo();
  await clock.pass();
  assert.deepEqual(rowsOfBatches(), [1, 1]);
  assert.deepEqual([running, other].map(answerOf), [[1], [6]]);
  for (const job of [waiting, cut]) assert.ok(errorOf(job) instanceof CancelledError);
});

test('rows count as pending from their submission to their answer, and batches give the throughput', async () => {
  const { clock, engine, batcher } = batching({ maxBatchRows: 2 });
  assert.deepEqual([batcher.pendingRows, batcher.rowsPerSecond], [0, 0]);
  for (const elements of [[1, 2], [3]]) batcher.submit(jobOf(elements));
  assert.equal(batcher.pendingRows, 3);
  await clock.pass();
  assert.equal(batcher.pendingRows, 3);
  engine.batches[0]?.echo();
  await clock.pass();
  assert.equal(batcher.pendingRows, 1);
  assert.equal(Math.round(batcher.rowsPerSecond), 2_000, 'two rows in a millisecond');
});

test('rows that would start within a time are estimated from what is left of the work', async () => {
  const { clock, engine, batcher } = batching({ maxBatchRows: 1, prefetchRows: 1 });
  batcher.prime(10_000, 10_000);
  assert.deepEqual([batcher.idleRows, batcher.rowsStartingWithin(5)], [1, 1]);
  batcher.submit(jobOf([1]));
  await clock.pass();
  assert.deepEqual(
    [batcher.idleRows, batcher.rowsStartingWithin(5), batcher.rowsStartingWithin(15)],
    [0, 0, 1],
  );
  await clock.pass(6);
  assert.equal(batcher.rowsStartingWithin(5), 1);
  batcher.submit(jobOf([2]));
  await clock.pass();
  assert.deepEqual([batcher.rowsStartingWithin(5), batcher.rowsStartingWithin(25)], [0, 2]);
  for (const batch of engine.batches) batch.echo();
});
