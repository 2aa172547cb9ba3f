import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeElements, encodeElements } from '../../schemas/tensor.js';
import type { EngineResult, EngineTensor } from '../engine/engine.js';
import { jobOf, settle } from '../../testing/records.js';
import { Batcher } from './batcher.js';
import type { RowTensor } from './rows.js';
import { LIMITS, answerOf, batching, elementsOf } from '../../testing/batching.js';

test('a job longer than a batch is cut, and its rows are joined in order', async () => {
  const { clock, engine, batcher, rowsOfBatches } = batching({ parallelism: 3 });
  const job = jobOf([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  batcher.submit(job);
  await clock.pass();
  assert.deepEqual(rowsOfBatches(), [4, 4, 1]);
  for (const index of [2, 0, 1]) {
    assert.equal(job.answers.length, 0);
    engine.batches[index]?.echo();
    await clock.pass();
  }
  assert.deepEqual(answerOf(job), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(job.answers[0]?.outputs[0]?.shape, [9, 1]);
});

test('an answer reports queue time, compute time and batch size', async () => {
  const { clock, engine, batcher } = batching();
  const job = jobOf([1]);
  batcher.submit(job);
  batcher.submit(jobOf([2, 3]));
  await clock.pass(7);
  engine.batches[0]?.echo();
  await clock.pass(5);
  const [answer] = job.answers;
  assert.deepEqual([answer?.queueMs, answer?.computeMicros, answer?.batchRows], [7, 1_000, 3]);
});

/** Computes for each row: its text between brackets, and its length. Nothing of a row depends on another. */
function perRow([input]: readonly EngineTensor[]): Promise<EngineResult> {
  assert.ok(input);
  const texts = decodeElements('BYTES', Buffer.from(input.data)) as string[];
  const owned = (bytes: Buffer): Uint8Array<ArrayBuffer> => Uint8Array.from(bytes);
  const bracketed = owned(
    encodeElements(
      'BYTES',
      texts.map((text) => `<${text}>`),
      'y',
    ),
  );
  const lengths = owned(
    encodeElements(
      'INT32',
      texts.map((text) => text.length),
      'z',
    ),
  );
  const outputs: EngineTensor[] = [
    { name: 'y', datatype: 'BYTES', shape: input.shape, data: bracketed },
    { name: 'z', datatype: 'INT32', shape: input.shape, data: lengths },
  ];
  return Promise.resolve({ outputs, computeMicros: 1 });
}

test('batched answers equal unbatched ones, over random shapes, limits and sizes', async () => {
  const jobs = fc.array(
    fc.record({ rows: fc.integer({ min: 1, max: 12 }), columns: fc.integer({ min: 1, max: 3 }) }),
    { minLength: 1, maxLength: 15 },
  );
  const limits = fc.record({
    maxBatchRows: fc.integer({ min: 1, max: 10 }),
    parallelism: fc.integer({ min: 1, max: 3 }),
  });
  let text = 0;
  await fc.assert(
    fc.asyncProperty(jobs, limits, async (sizes, { maxBatchRows, parallelism }) => {
      const batcher = new Batcher(perRow, { ...LIMITS, maxBatchRows, parallelism });
      const submitted = sizes.map(({ rows, columns }) => {
        const texts = Array.from({ length: rows * columns }, () => 'x'.repeat(text % 7) + text++);
        const input: RowTensor = {
          name: 'x',
          datatype: 'BYTES',
          shape: [rows, columns],
          data: encodeElements('BYTES', texts, 'x'),
        };
        return {
          texts,
          job: jobOf([], { inputs: [input], rows, laneKey: String(columns) }),
          shape: [rows, columns],
        };
      });
      for (const { job } of submitted) batcher.submit(job);
      await batcher.drained();
      await settle();
      for (const { texts, job, shape } of submitted) {
        const [brackets, lengths] = job.answers[0]?.outputs ?? [];
        assert.deepEqual(
          [elementsOf(brackets), brackets?.shape],
          [texts.map((entry) => `<${entry}>`), shape],
        );
        assert.deepEqual([elementsOf(lengths), lengths?.shape], [texts.map(({ length }) => length), shape]);
        assert.deepEqual([job.answers.length, job.errors], [1, []]);
      }
    }),
    { numRuns: 60 },
  );
});
