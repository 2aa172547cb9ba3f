import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartituraError } from '../../schemas/errors.js';
import { decodeElements } from '../../schemas/tensor.js';
import type { EngineResult, EngineTensor } from '../engine/engine.js';
import { jobOf } from '../../testing/records.js';
import type { RunBatch } from './batch-runner.js';
import { Batcher } from './batcher.js';
import { LIMITS, answerOf, errorOf } from '../../testing/batching.js';

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
    const batcher = new Batcher(run, { ...LIMITS, maxBatchRows, prefetchRows: 1 });
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

test(
  'what is lost with another model while its own batch is searched is run again',
  { timeout: 10_000 },
  async () => {
    let lostOnce = false;
    const run: RunBatch = (inputs) => {
      const rows = inputs.flatMap(({ data }) => decodeElements('INT32', Buffer.from(data)) as number[]);
      if (rows.length > 2 && rows.includes(-1))
        return Promise.reject(new PartituraError('MODEL_FAILED', 'bad'));
      if (!lostOnce) {
        lostOnce = true;
        return Promise.reject(new PartituraError('INTERNAL', 'lost with another'));
      }
      if (rows.includes(-1)) return Promise.reject(new PartituraError('MODEL_FAILED', 'bad'));
      return Promise.resolve({ outputs: inputs, computeMicros: 1 });
    };
    const batcher = new Batcher(run, LIMITS);
    const jobs = [0, 1, -1, 3].map((element) => jobOf([element]));
    for (const job of jobs) batcher.submit(job);
    await batcher.drained();
    assert.deepEqual(
      jobs.map((job) => (job.errors.length > 0 ? errorOf(job).code : answerOf(job))),
      [[0], [1], 'MODEL_FAILED', [3]],
    );
  },
);
