import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WatchedSlice } from '../batching/watch.js';
import { tensor } from '../../testing/engine-models.js';
import type { EngineResult, EngineTensor } from '../engine/engine.js';
import { settle } from '../../testing/records.js';
import { decodeElements, encodeElements } from '../../schemas/tensor.js';
import { BatchCheck } from './batch-check.js';

type Row = readonly [input: number, output: number];

/** Creates a slice of a job with one FP32 input and output. */
function slice(...rows: readonly Row[]): WatchedSlice {
  const column = (index: 0 | 1, name: string): WatchedSlice['inputs'][number] => ({
    name,
    datatype: 'FP32',
    shape: [rows.length],
    data: encodeElements(
      'FP32',
      rows.map((row) => row[index]),
      name,
    ),
  });
  return { inputs: [column(0, 'x')], outputs: [column(1, 'y')], start: 0, rows: rows.length };
}

interface Checked {
  readonly check: BatchCheck;
  readonly results: (readonly [string, string | undefined])[];
  readonly computed: number[];
  time: number;
}

/** Creates a check of a model that doubles its input. */
function checking(fail?: Error): Checked {
  const checked: Checked = {
    results: [],
    computed: [],
    time: 0,
    check: new BatchCheck(
      ([input]: readonly EngineTensor[]): Promise<EngineResult> => {
        if (fail) return Promise.reject(fail);
        const [x = NaN] = decodeElements('FP32', Buffer.from(input?.data ?? [])).map(Number);
        checked.computed.push(x);
        return Promise.resolve({ outputs: [tensor('y', 'FP32', [1], [2 * x])], computeMicros: 1 });
      },
      {
        intervalMs: 100,
        onResult: (result, reason) => void checked.results.push([result, reason]),
        now: () => checked.time,
      },
    ),
  };
  return checked;
}

test('rows of a batch are recomputed once the engine is idle, starting with one row per request', async () => {
  const { check, results, computed } = checking();
  assert.equal(check.isDue(), true);
  check.take([slice([1, 2]), slice([3, 6], [4, 8], [5, 10])]);
  await settle();
  assert.deepEqual(computed, [], 'the engine is not idle yet');
  check.idle();
  await settle();
  assert.deepEqual(computed, [5, 1, 3]);
  assert.deepEqual(results, [['equal', undefined]]);
});

test('a split request is recomputed as a whole', async () => {
  for (const [outputs, result] of [
    [[6, 8], 'equal'],
    [[6, 9], 'different'],
  ] as const) {
    const results: (readonly [string, string | undefined])[] = [];
    const check = new BatchCheck(
      ([input]): Promise<EngineResult> => {
        const values = decodeElements('FP32', Buffer.from(input?.data ?? [])).map(Number);
        // Parts agree with single rows: only the whole request reveals the difference.
        const doubled =
          values.length > 1 ? values.map((x) => 2 * x) : values.map((x) => (x === 4 ? outputs[1] : 2 * x));
        return Promise.resolve({
          outputs: [tensor('y', 'FP32', [doubled.length], doubled)],
          computeMicros: 1,
        });
      },
      { intervalMs: 100, onResult: (...found) => void results.push(found) },
    );
    const whole = slice([1, 2], [2, 4], [3, 6], [4, 8]);
    const part = slice([3, outputs[0]], [4, outputs[1]]);
    check.take([{ inputs: whole.inputs, outputs: part.outputs, start: 2, rows: 2 }]);
    check.idle();
    await settle();
    assert.equal(results[0]?.[0], result);
  }
});

test('a row with another output when computed alone is a difference', async () => {
  const { check, results } = checking();
  check.take([slice([1, 2]), slice([3, 6.1])]);
  check.idle();
  await settle();
  assert.deepEqual(results, [['different', "output 'y' of a row differs when computed alone"]]);
});

test('rounding is not a difference, not even next to larger outputs', async () => {
  const { check, results } = checking();
  check.take([slice([1, 2.000_01]), slice([1e-6, 3e-6]), slice([3, 6])]);
  check.idle();
  await settle();
  assert.deepEqual(results, [['equal', undefined]]);
});

type Doubling = (rows: readonly number[]) => number[];

/** Checks a batch whose last slice is a complete request or, with `isSplit`, a part of one. */
async function checkOfBatch(double: Doubling, isSplit: boolean): Promise<string[]> {
  const results: string[] = [];
  const check = new BatchCheck(
    ([input]): Promise<EngineResult> => {
      const doubled = double(decodeElements('FP32', Buffer.from(input?.data ?? [])).map(Number));
      return Promise.resolve({ outputs: [tensor('y', 'FP32', [doubled.length], doubled)], computeMicros: 1 });
    },
    { intervalMs: 100, onResult: (result) => void results.push(result) },
  );
  const sliceOf = (rows: number[], answers: number[]): WatchedSlice =>
    slice(...rows.map((row, index) => [row, answers[index] ?? NaN] as const));
  const answers = double([7, 2, 3]);
  const [first, last] = [sliceOf([7], answers.slice(0, 1)), sliceOf([2, 3], answers.slice(1))];
  const whole = sliceOf([1, 2, 3], []);
  check.take(isSplit ? [first, { ...last, inputs: whole.inputs, start: 1 }] : [first, last]);
  check.idle();
  await settle();
  return results;
}

const BY_SIZE: Doubling = (rows) => rows.map((row) => row * (rows.length === 1 ? 2 : 2.001));
const BY_OTHERS: Doubling = (rows) => rows.map((row) => row * (2 + 1e-4 * (Math.max(...rows) - row)));

for (const isSplit of [false, true]) {
  const what = isSplit ? 'a part of a request' : 'a row';
  test(`${what} that differs slightly with the batch size only is attributed to rounding`, async () => {
    assert.deepEqual(await checkOfBatch(BY_SIZE, isSplit), ['equal']);
  });
  test(`${what} that differs slightly with its neighbors is a difference`, async () => {
    assert.deepEqual(await checkOfBatch(BY_OTHERS, isSplit), ['different']);
  });
}

test('a slight difference is inconclusive if a batch of copies would be too large', async () => {
  const row = (name: string, value: number): WatchedSlice['inputs'][number] => ({
    name,
    datatype: 'FP32',
    shape: [1, 2 ** 18],
    data: Buffer.from(new Float32Array(2 ** 18).fill(value).buffer),
  });
  const results: (readonly [string, string | undefined])[] = [];
  const check = new BatchCheck(
    () => Promise.resolve({ outputs: [tensor('y', 'FP32', [1], [2])], computeMicros: 1 }),
    { intervalMs: 100, onResult: (...found) => void results.push(found) },
  );
  const one = { inputs: [row('x', 1)], outputs: slice([1, 2.001]).outputs, start: 0, rows: 1 };
  check.take(Array.from({ length: 40 }, () => one));
  check.idle();
  await settle();
  assert.deepEqual(results, [['failed', 'the batch is too large to recompute']]);
});

test('a row that cannot be computed alone is inconclusive', async () => {
  const { check, results } = checking(new Error('unloaded'));
  check.take([slice([1, 2])]);
  check.idle();
  await settle();
  assert.deepEqual(results, [['failed', 'unloaded']]);
});

test('a few rows of one batch per interval are checked, and none after the end', async () => {
  const checked = checking();
  const { check } = checked;
  check.take(Array.from({ length: 100 }, (_, index) => slice([index, 2 * index])));
  assert.equal(check.isDue(), false);
  check.idle();
  check.idle();
  await settle();
  assert.equal(checked.computed.length, 8);
  checked.time = 100;
  assert.equal(check.isDue(), true);
  check.end();
  assert.equal(check.isDue(), false);
});

test('the check works on copies, because callers own the batch', async () => {
  const { check, results } = checking();
  const shared = slice([1, 2]);
  check.take([shared]);
  shared.inputs[0]?.data.fill(0);
  shared.outputs[0]?.data.fill(1);
  check.idle();
  await settle();
  assert.deepEqual(results, [['equal', undefined]]);
});

test('a check waits for a few batches only if the engine is never idle', async () => {
  const { check, computed } = checking();
  for (let batch = 1; batch <= 5; batch++) {
    assert.deepEqual(computed, []);
    check.take([slice([batch, 2 * batch])]);
    await settle();
  }
  assert.deepEqual(computed, [5]);
});
