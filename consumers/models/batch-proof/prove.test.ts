import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Engine, EngineTensor, LoadedModel } from '../../engine/engine.js';
import { DIGITS, DIGITS_ONNX, fixture, sourceOf, tensor } from '../../engine/test-models.js';
import { createEngine } from '../../engine/threaded-engine.js';
import { proveBatching, type ProvenVerdict } from './prove.js';

/** Models whose first dimension is open, and why they are not batched all the same. */
const NOT_BATCHED: Readonly<Record<string, RegExp>> = {
  'softmax-over-rows-onnx': /^output 'y' of a request changes with the requests beside it$/,
  'cumsum-over-time-onnx': /changes with the requests beside it/,
  'softmax-over-rows': /changes with/,
  'cumsum-over-time': /changes with/,
  words: /^output 'words' of a request changes with/,
  'image-by-text-onnx': /^output 'logits' of a request changes with/,
  'rows-counted-onnx': /changes with/,
  'quantized-onnx': /changes with/,
  'spectrogram-onnx': /changes with/,
  'row-indices-onnx': /changes with/,
  'clip-by-all-onnx': /changes with/,
  'side-input-onnx': /changes with/,
  'from-batches-of-five-onnx': /changes with/,
  'found-onnx': /^output 'y' has \d+ rows? for \d rows? of input$/,
  'positives-onnx': /^output 'positives' has/,
  positives: /^output 'positives' has/,
  'positives-graph': /^output 'positives' has/,
  'random-answers-onnx': /^output 'y' differs from run to run for the same input$/,
  'matmul-open-onnx': /^could not be tried: the model refuses random inputs: .*dimension mismatch/,
  'abort-onnx': /^could not be tried: random inputs crashed it: .*SIGABRT/,
  'unknown-rank': /^input 'x' declares no dimensions$/,
  'unknown-rank-onnx': /^input 'x' declares no dimensions$/,
  'no-inputs-onnx': /^the model has no inputs$/,
  'fixed-onnx': /^the first dimension of input 'x' is always 1$/,
};

/** Models that answer each row for itself: with text, with ids of a small vocabulary, for positive numbers only, … */
const BATCHED = [
  'types',
  'types-onnx',
  'types-graph',
  'sum',
  'sum-onnx',
  'int64',
  'int64-onnx',
  'picky',
  'picky-onnx',
  'labels-onnx',
  'lengths',
  'embedding-onnx',
  'empty-cache-onnx',
  'divide-onnx',
  'digits-graph',
  'digits-layers',
  'digits-onnx',
  'iris-sklearn-onnx',
  // Its labels are declared as one row.
  'iris-lightgbm-onnx',
];

describe('batching is proven on real engines', () => {
  let engine: Engine;
  before(async () => {
    engine = await createEngine({ threads: 1 });
  });
  after(() => engine.close());

  async function proven(directory: string): Promise<ProvenVerdict> {
    const loaded = await engine.isolated?.load(await sourceOf(directory));
    assert.ok(loaded);
    try {
      return await proveBatching(loaded, { maxBatchRows: 64, essentialMs: 30_000 });
    } finally {
      await loaded.unload();
    }
  }

  for (const [model, reason] of Object.entries(NOT_BATCHED))
    test(`${model} is not batched, with the reason`, async () => {
      const verdict = await proven(fixture(model));
      assert.equal(verdict.batchable, false);
      assert.match(verdict.reason, reason);
    });

  for (const directory of [...BATCHED.map((model) => fixture(model)), DIGITS, DIGITS_ONNX])
    test(`${directory.split('/').slice(-2).join('/')} is batched`, async () => {
      const verdict = await proven(directory);
      assert.match(
        verdict.reason,
        /^rows are independent: \d+ runs of up to \d+ rows gave each row its own answer$/,
      );
      assert.equal(verdict.batchable, true);
    });
});

type Compute = (rows: number[]) => number[];

/** A model of one FP32 input and output. */
function modelOf(
  compute: Compute,
  pass: () => void = () => undefined,
): Pick<LoadedModel, 'run' | 'signature'> {
  const spec = { datatype: 'FP32' as const, shape: [-1] };
  return {
    signature: { inputs: [{ ...spec, name: 'x' }], outputs: [{ ...spec, name: 'y' }] },
    run: ([input]: readonly EngineTensor[]) => {
      pass();
      const answer = compute([...new Float32Array(input?.data.buffer ?? new ArrayBuffer(0))]);
      return Promise.resolve({ outputs: [tensor('y', 'FP32', [answer.length], answer)], computeMicros: 1 });
    },
  };
}

/** A clock that a run moves on by so many milliseconds. */
function runsOf(ms: number): { now: () => number; pass: () => void; count: () => number } {
  let time = 0;
  let runs = 0;
  return {
    now: () => time,
    pass: () => {
      time += ms;
      runs++;
    },
    count: () => runs,
  };
}

test('what shows only in batches of hundreds of rows is found while there is time', async () => {
  const mixing = modelOf((rows) => (rows.length < 500 ? rows : rows.map(() => rows[0] ?? 0)));
  const { batchable, reason } = await proveBatching(mixing, { maxBatchRows: 1_024, budgetMs: 60_000 });
  assert.equal(batchable, false);
  assert.match(reason, /output 'y' of a request changes/);
});

test('one row beyond the largest batch is tried: such a request would be cut', async () => {
  const sizes: number[] = [];
  const echo = modelOf((rows) => {
    sizes.push(rows.length);
    return rows;
  });
  await proveBatching(echo, { maxBatchRows: 70, budgetMs: 60_000 });
  assert.ok(sizes.includes(71));
});

test('a slow model is tried with what every model must pass, and no more', async () => {
  const { now, pass, count } = runsOf(120);
  const { batchable } = await proveBatching(
    modelOf((rows) => rows, pass),
    { maxBatchRows: 64, now },
  );
  assert.deepEqual([batchable, count()], [true, 9]);
});

test('a model that is too slow even for that is not batched, and tried again at the next start', async () => {
  const { now, pass } = runsOf(900);
  assert.deepEqual(
    await proveBatching(
      modelOf((rows) => rows, pass),
      { maxBatchRows: 64, now },
    ),
    { batchable: false, reason: 'could not be tried: too slow to be tried within 3 s', isLasting: false },
  );
});

test('the tries end with the first difference', async () => {
  const { now, pass, count } = runsOf(0);
  const first = modelOf((rows) => rows.map(() => rows[0] ?? 0), pass);
  assert.equal((await proveBatching(first, { maxBatchRows: 64, now })).batchable, false);
  assert.ok(count() <= 8);
});

test('a model that leaves equal rows out is found', async () => {
  const { batchable, reason } = await proveBatching(
    modelOf((rows) => [...new Set(rows)]),
    { maxBatchRows: 64 },
  );
  assert.deepEqual([batchable, reason], [false, "output 'y' has 1 row for 2 rows of input"]);
});

test('the same values are tried every time', async () => {
  const seen: number[][][] = [[], []];
  for (const inputs of seen)
    await proveBatching(
      modelOf((rows) => {
        inputs.push(rows);
        return rows;
      }),
      { maxBatchRows: 8 },
    );
  assert.deepEqual(seen[0]?.slice(0, 8), seen[1]?.slice(0, 8));
});
