import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { EngineTensor } from '../engine/engine.js';
import { ManualClock, int32, jobOf } from '../../testing/records.js';
import { PartituraError } from '../../schemas/errors.js';
import type { RunBatch } from './batch-runner.js';
import { Batcher } from './batcher.js';
import type { BatchLimits } from './limits.js';
import { LIMITS, answerOf, batching, elementsOf, errorOf } from '../../testing/batching.js';

test('only the bad job of a failed batch fails, with its reason', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }), async (bad) => {
      const run: RunBatch = (inputs) => {
        const outputs = inputs.map((input) => ({ ...input, data: Uint8Array.from(input.data) }));
        const values = elementsOf({
          ...int32('x', [], []),
          data: Buffer.from(inputs[0]?.data ?? []),
        }) as number[];
        if (values.includes(-1)) return Promise.reject(new Error('the model does not like -1'));
        return Promise.resolve({ outputs, computeMicros: 1 });
      };
      const clock = new ManualClock();
      const batcher = new Batcher(run, { ...LIMITS, maxBatchRows: 20 }, { clock });
      const jobs = bad.map((isBad, index) => jobOf([isBad ? -1 : index]));
      for (const job of jobs) batcher.submit(job);
      for (let turn = 0; turn < 40; turn++) await clock.pass();
      jobs.forEach((job, index) => {
        if (bad[index]) assert.equal(errorOf(job).message, 'the model does not like -1');
        else assert.deepEqual(answerOf(job), [index]);
      });
    }),
    { numRuns: 30 },
  );
});

test('a cut job fails once, and its remaining slices are not run', async () => {
  const { clock, engine, batcher, rowsOfBatches } = batching();
  const job = jobOf([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  batcher.submit(job);
  await clock.pass();
  engine.batches[0]?.fail(new Error('bad part'));
  await clock.pass();
  assert.equal(errorOf(job).message, 'bad part');
  assert.deepEqual(rowsOfBatches(), [4]);
});

test('outputs with missing rows fail the job', async () => {
  const clock = new ManualClock();
  const oneRow: EngineTensor = { name: 'y', datatype: 'INT32', shape: [1, 1], data: new Uint8Array(4) };
  const batcher = new Batcher(() => Promise.resolve({ outputs: [oneRow], computeMicros: 1 }), LIMITS, {
    clock,
  });
  const cut = jobOf([1, 2, 3, 4, 5]);
  batcher.submit(cut);
  await clock.pass();
  assert.match(errorOf(cut).message ?? '', /output 'y': expected 4 rows, got shape \[1,1\]/);
});

test('a batch that fails too late is not searched, and its jobs may be retried', async () => {
  const { clock, engine, batcher } = batching({ isolationLimitMs: 50 });
  const jobs = [jobOf([1]), jobOf([2]), jobOf([3])];
  for (const job of jobs) batcher.submit(job);
  await clock.pass();
  await clock.pass(60);
  engine.batches[0]?.fail(new Error('hung'));
  await clock.pass();
  assert.equal(engine.batches.length, 1);
  for (const job of jobs) {
    assert.equal(errorOf(job).code, 'INTERNAL');
    assert.match(errorOf(job).message ?? '', /hung/);
  }
});

const crash = new PartituraError('MODEL_CRASHED', 'ended with SIGFPE');
const confirming: Partial<BatchLimits> = { needsConfirmation: (error) => error === crash };

test('a failure that needs confirmation is blamed on the job that fails alone', async () => {
  const { batcher, clock, engine } = batching(confirming);
  const [good, bad] = [jobOf([1]), jobOf([2])];
  batcher.submit(good);
  batcher.submit(bad);
  await clock.pass();
  engine.batches[0]?.fail(crash);
  await clock.pass();
  engine.batches[1]?.echo();
  await clock.pass();
  engine.batches[2]?.fail(crash);
  await clock.pass();
  assert.deepEqual([good.answers.length, bad.errors], [1, [crash]]);
  assert.equal(engine.batches.length, 3);
});

test('a single job is tried twice before such a failure is blamed on it', async () => {
  const { batcher, clock, engine } = batching(confirming);
  const [unlucky, bad] = [jobOf([1]), jobOf([2])];
  batcher.submit(unlucky);
  await clock.pass();
  engine.batches[0]?.fail(crash);
  await clock.pass();
  engine.batches[1]?.echo();
  await clock.pass();
  batcher.submit(bad);
  for (const batch of [2, 3]) {
    await clock.pass();
    engine.batches[batch]?.fail(crash);
  }
  await clock.pass();
  assert.deepEqual([unlucky.answers.length, bad.errors], [1, [crash]]);
});
