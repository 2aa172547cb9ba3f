import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeElements, encodeElements } from '../../schemas/tensor.js';
import { PartituraError } from '../../schemas/errors.js';
import type { EngineResult, EngineTensor } from '../engine/engine.js';
import { HeldEngine, ManualClock, int32, jobOf, settle, type Fate } from '../test-support.js';
import { Batcher, type BatchLimits, type RunBatch } from './batcher.js';
import type { RowTensor } from './rows.js';

const LIMITS: BatchLimits = {
  maxBatchRows: 4,
  maxBatchDelayMs: 0,
  parallelism: 1,
  aheadRows: Infinity,
  batchable: true,
};

function batching(limits: Partial<BatchLimits> = {}) {
  const clock = new ManualClock();
  const engine = new HeldEngine();
  const batcher = new Batcher(engine.run, { ...LIMITS, ...limits }, clock);
  const rowsOfBatches = (): number[] => engine.batches.map(({ rows }) => rows);
  return { clock, engine, batcher, rowsOfBatches };
}

const elementsOf = (tensor: Pick<RowTensor, 'datatype' | 'data'> | undefined): unknown =>
  tensor && decodeElements(tensor.datatype, tensor.data);
const answerOf = ({ answers, errors }: Fate): unknown => {
  assert.deepEqual([answers.length, errors.length], [1, 0]);
  return elementsOf(answers[0]?.outputs[0]);
};
const errorOf = ({ answers, errors }: Fate): { code?: string; message?: string } => {
  assert.deepEqual([answers.length, errors.length], [0, 1]);
  return errors[0] as Error;
};

test('an idle engine never waits; what came in one go is one batch', async () => {
  const { clock, batcher, rowsOfBatches } = batching();
  batcher.submit(jobOf([1]));
  batcher.submit(jobOf([2]));
  await clock.pass();
  assert.deepEqual(rowsOfBatches(), [2]);
});

test('while the engine is busy the batch grows, and each job gets its own rows', async () => {
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

test('a full batch leaves the rest for the next', async () => {
  const { clock, engine, batcher, rowsOfBatches } = batching();
  for (const elements of [[1, 2], [3], [4, 5], [6]]) batcher.submit(jobOf(elements));
  await clock.pass();
  engine.batches[0]?.echo();
  await clock.pass();
  assert.deepEqual(rowsOfBatches(), [3, 3]);
});

test('with a delay a batch waits until its oldest job has waited so long, or until it is full', async () => {
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

test('a lane that is full does not wait for an older one that still fills', async () => {
  const { clock, batcher, rowsOfBatches } = batching({ maxBatchDelayMs: 10 });
  batcher.submit(jobOf([1], { laneKey: 'rare', arrivedAt: 0 }));
  await clock.pass(1);
  batcher.submit(jobOf([1, 2, 3, 4], { laneKey: 'common', arrivedAt: 1 }));
  await clock.pass();
  assert.deepEqual(rowsOfBatches(), [4]);
});

test('as many batches are under way as there is parallelism', async () => {
  const { clock, engine, batcher, rowsOfBatches } = batching({ parallelism: 2 });
  for (let index = 0; index < 3; index++) batcher.submit(jobOf([1, 2, 3, 4]));
  await clock.pass();
  assert.deepEqual(rowsOfBatches(), [4, 4]);
  engine.batches[1]?.echo();
  await clock.pass();
  assert.deepEqual(rowsOfBatches(), [4, 4, 4]);
});

test('a batch more goes ahead when there are rows enough for it, and does not make the expected wait shorter', async () => {
  const { clock, batcher, rowsOfBatches } = batching({ aheadRows: 3 });
  batcher.expect(250, 1_000);
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

test('jobs of different shape never share a batch, and the one that came first goes first', async () => {
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

test('a job whose deadline passed before its batch closed is refused without being run', async () => {
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

test('when all of a batch is expired the engine is free for the next', async () => {
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

test('of a batch that fails only the bad job fails, and it is told why', async () => {
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
      const batcher = new Batcher(run, { ...LIMITS, maxBatchRows: 20 }, clock);
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

test('a job that is larger than a batch is cut, and its rows come back in their order', async () => {
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

test('a cut job of which a part fails fails once, and the rest of it is not run', async () => {
  const { clock, engine, batcher, rowsOfBatches } = batching();
  const job = jobOf([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  batcher.submit(job);
  await clock.pass();
  engine.batches[0]?.fail(new Error('bad part'));
  await clock.pass();
  assert.equal(errorOf(job).message, 'bad part');
  assert.deepEqual(rowsOfBatches(), [4]);
});

test('outputs that lack rows fail the job instead of being given to another', async () => {
  const clock = new ManualClock();
  const oneRow: EngineTensor = { name: 'y', datatype: 'INT32', shape: [1, 1], data: new Uint8Array(4) };
  const batcher = new Batcher(() => Promise.resolve({ outputs: [oneRow], computeMicros: 1 }), LIMITS, clock);
  const cut = jobOf([1, 2, 3, 4, 5]);
  batcher.submit(cut);
  await clock.pass();
  assert.match(errorOf(cut).message ?? '', /output 'y': expected 4 rows, got shape \[1,1\]/);
});

test('a model whose first dimension is not free runs each job alone, in the shapes that it has', async () => {
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

test('merged inputs own their memory, for they are given away', async () => {
  const { clock, engine, batcher } = batching();
  const job = jobOf([1]);
  batcher.submit(job);
  await clock.pass();
  const data = engine.batches[0]?.inputs[0]?.data;
  assert.deepEqual([data?.byteOffset, data?.buffer.byteLength], [0, data?.byteLength]);
  assert.notEqual(data?.buffer, job.inputs[0]?.data.buffer);
});

test('an answer says how long it waited and computed, and in what company', async () => {
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

test('the expected wait counts full batches before the newcomer, once it is known how long one takes', async () => {
  const { clock, batcher } = batching({ parallelism: 2 });
  for (let index = 0; index < 4; index++) batcher.submit(jobOf([1, 2, 3, 4]));
  assert.equal(batcher.expectedWaitMs, 0);
  batcher.learn(10_000, 4);
  await clock.pass();
  assert.deepEqual([batcher.expectedWaitMs, batcher.microsPerRow], [20, 2_500]);
});

test('what is known of a model before its first batch counts until batches tell better', async () => {
  const { clock, engine, batcher } = batching();
  batcher.expect(50, 2_000);
  for (let index = 0; index < 2; index++) batcher.submit(jobOf([1, 2, 3, 4]));
  assert.deepEqual([batcher.expectedWaitMs, batcher.microsPerRow], [4, 50]);
  await clock.pass();
  engine.batches[0]?.echo();
  await clock.pass();
  assert.equal(batcher.microsPerRow, 50 + 0.2 * (250 - 50));
});

test('it is drained when nothing is queued or under way', async () => {
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

test('a batched answer is the unbatched answer, over random shapes, batch limits and job sizes', async () => {
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

test('no batch is run while there is no room for its results', async () => {
  const clock = new ManualClock();
  const engine = new HeldEngine();
  let release: () => void = () => undefined;
  let room: Promise<void> | undefined = new Promise((resolve) => (release = resolve));
  const batcher = new Batcher(engine.run, LIMITS, clock, () => room);
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

test('a batch that took too long to fail is not searched: its jobs may all come again', async () => {
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

/** Batches one after the other in one thread; a negative element takes the thread along, and what waits in it. */
function mortalEngine(): { readonly run: RunBatch; readonly lost: () => number } {
  let waiting: { rows: readonly number[]; inputs: readonly EngineTensor[]; settle: Settle }[] = [];
  let lost = 0;
  const serve = (): void => {
    const first = waiting.shift();
    if (!first) return;
    if (first.rows.every((element) => element >= 0)) {
      first.settle.resolve({ outputs: first.inputs, computeMicros: 1 });
    } else {
      first.settle.reject(new PartituraError('MODEL_FAILED', 'the thread is lost'));
      for (const { settle: other } of waiting)
        other.reject(new PartituraError('INTERNAL', 'lost with another'));
      lost += waiting.length;
      waiting = [];
    }
    if (waiting.length > 0) setTimeout(serve, 1);
  };
  const run: RunBatch = (inputs) =>
    new Promise((resolve, reject) => {
      const [input] = inputs;
      const rows = input ? (decodeElements('INT32', Buffer.from(input.data)) as number[]) : [];
      waiting.push({ rows, inputs, settle: { resolve, reject } });
      if (waiting.length === 1) setTimeout(serve, 1);
    });
  return { run, lost: () => lost };
}

interface Settle {
  resolve(result: EngineResult): void;
  reject(error: unknown): void;
}

for (const maxBatchRows of [1, 8]) {
  test(`what is lost with another batch's thread is run again: batches of ${maxBatchRows}`, async () => {
    const { run, lost } = mortalEngine();
    const batcher = new Batcher(run, { ...LIMITS, maxBatchRows, aheadRows: 1 });
    const jobs = Array.from({ length: 32 }, (_, index) => jobOf([index === 3 ? -1 : index]));
    for (const job of jobs) batcher.submit(job);
    await batcher.drained();
    assert.ok(lost() > 0, 'nothing waited behind the batch that failed');
    jobs.forEach((job, index) => {
      if (index === 3) assert.equal(errorOf(job).code, 'MODEL_FAILED');
      else assert.deepEqual(answerOf(job), [index]);
    });
  });
}
