import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { batching, answerOf } from '../../testing/batching.js';
import { jobOf } from '../../testing/records.js';
import { JobProgress, type Job, type Slice } from './batch.js';
import { Lanes } from './lanes.js';
import { rankOf } from './ranked-queue.js';

const sliceOf = (arrivedAt: number, headStartMs: number): Slice => {
  const nothing = (): void => undefined;
  const job: Job = {
    inputs: [],
    rows: 1,
    laneKey: 'lane',
    mustBeAlone: false,
    deadline: null,
    arrivedAt,
    headStartMs,
    answered: nothing,
    failed: nothing,
  };
  return { progress: new JobProgress(job), start: 0, rows: 1 };
};

const jobs = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.constantFrom(0, 1_000, 9_000, -30_000)), {
    maxLength: 40,
  })
  .map((all) => all.sort(([a], [b]) => a - b).map(([arrivedAt, headStart]) => sliceOf(arrivedAt, headStart)));

test('jobs leave by arrival minus head start, those of one priority in order, and bulk work shares no batch with others', () => {
  fc.assert(
    fc.property(jobs, fc.integer({ min: 1, max: 8 }), (slices, maxRows) => {
      const lanes = new Lanes();
      for (const slice of slices) lanes.add(slice);
      const taken: Slice[] = [];
      for (let lane = lanes.oldest(); lane; lane = lanes.oldest()) {
        const batch = lanes.take(lane, maxRows);
        assert.ok(batch.length >= 1 && batch.length <= maxRows);
        const starts = new Set(batch.map(({ progress }) => (progress.job.headStartMs ?? 0) < 0));
        assert.equal(starts.size, 1);
        taken.push(...batch);
      }
      const ranks = taken.map(rankOf);
      assert.deepEqual(
        ranks,
        [...ranks].sort((a, b) => a - b),
      );
      assert.equal(taken.length, slices.length);
      assert.equal(lanes.rows, 0);
      assert.deepEqual(lanes.ahead, { rows: 0, slices: 0 });
    }),
  );
});

test('a request waits for at most one batch of bulk work, however much waits and however early batches are handed over', async () => {
  const { clock, engine, batcher } = batching({ maxBatchRows: 1, prefetchRows: 1 });
  const bulk = Array.from({ length: 5 }, (_, index) => jobOf([index], { headStartMs: -30_000 }));
  for (const job of bulk) batcher.submit(job);
  await clock.pass();
  const request = jobOf([9], { arrivedAt: 1 });
  batcher.submit(request);
  await clock.pass();
  engine.batches[0]?.echo();
  await clock.pass();
  engine.batches[1]?.echo();
  await clock.pass();
  assert.deepEqual(answerOf(request), [9]);
  assert.equal(bulk.filter(({ answers }) => answers.length > 0).length, 1);
});
