import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Datatype } from '../../../schemas/datatypes.js';
import { PartituraError } from '../../../schemas/errors.js';
import type { Engine, EngineTensor, LoadedModel } from '../../engine/engine.js';
import {
  DIGITS,
  DIGITS_ONNX,
  elementsOf,
  fixture,
  sourceOf,
  tensor,
} from '../../../testing/engine-models.js';
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
  'masked-softmax-onnx': /changes with/,
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
  'product-onnx',
  'open-image-onnx',
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

const MIXING = "output 'y' of a request changes with the requests beside it";

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
  const { now, pass, count } = runsOf(90);
  const { batchable } = await proveBatching(
    modelOf((rows) => rows, pass),
    { maxBatchRows: 64, now },
  );
  assert.deepEqual([batchable, count()], [true, 12]);
});

for (const [ms, patience, standing] of [
  [0, 1, 'final'],
  [15, 1, 'cut'],
  [15, 2, 'final'],
  [90, 1, 'cut'],
] as const)
  test(`a verdict is ${standing} where a run takes ${ms} ms, with ${patience} times the usual time`, async () => {
    const { now, pass } = runsOf(ms);
    const echo = modelOf((rows) => rows, pass);
    const verdict = await proveBatching(echo, { maxBatchRows: 64, now, patience });
    assert.deepEqual([verdict.batchable, verdict.standing], [true, standing]);
  });

test('a model that is too slow even for that is not batched, and tried again at the next start', async () => {
  const { now, pass } = runsOf(900);
  assert.deepEqual(
    await proveBatching(
      modelOf((rows) => rows, pass),
      { maxBatchRows: 64, now },
    ),
    { batchable: false, reason: 'could not be tried: too slow to be tried within 3 s', standing: 'cut' },
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

/** Leaks the largest row of the batch into all answers, far below what is rounding. */
const leaking = modelOf((rows) => {
  const leak = Math.max(...rows) / 1e7;
  return rows.map((row) => row + leak);
});

test('what leaks is found below the size of rounding, since the same kernels give the same bits', async () => {
  const { batchable, reason } = await proveBatching(leaking, { maxBatchRows: 8 });
  assert.deepEqual([batchable, reason], [false, MIXING]);
});

test('a model that rounds otherwise from run to run may differ by rounding', async () => {
  let run = 0;
  const unsteady = modelOf((rows) => {
    run++;
    return rows.map((row) => row * (1 + run * 2 ** -23));
  });
  assert.equal((await proveBatching(unsteady, { maxBatchRows: 8, now: () => 0 })).batchable, true);
});

/** How much answers of batches are larger than those of single rows, by models that are not equal for all batches. */
const AMPLIFYING: Readonly<Record<string, readonly [isBatched: boolean, excess: Compute]>> = {
  'by the size of the batch': [true, (rows) => rows.map(() => (rows.length === 1 ? 0 : 1e-3))],
  'by the size of the batch, and much': [false, (rows) => rows.map(() => (rows.length === 1 ? 0 : 0.1))],
  'by its other rows': [
    false,
    (rows) => rows.map(() => (rows.length === 1 ? 0 : 1e-3 * Math.tanh(Math.max(...rows)))),
  ],
  'by the place in it': [false, (rows) => rows.map((_, index) => 1e-4 * Math.sin(index))],
};

for (const [how, [isBatched, excess]] of Object.entries(AMPLIFYING))
  test(`a model whose answers differ ${how} is ${isBatched ? '' : 'not '}batched`, async () => {
    const model = modelOf((rows) => {
      const more = excess(rows);
      return rows.map((row, index) => row * (1 + (more[index] ?? 0)));
    });
    const { batchable, reason } = await proveBatching(model, { maxBatchRows: 64, now: () => 0 });
    assert.equal(batchable, isBatched, reason);
    if (isBatched) assert.match(reason, /gave each row its own answer, to within amplified rounding$/);
  });

test('rows that are too large are not drawn', async () => {
  const { signature, run } = modelOf(() => assert.fail('it was run'));
  for (const [datatype, shape] of [
    ['FP32', [-1, 100_000, 100_000]],
    ['FP32', [-1, 3, 2_160, 3_840]],
    ['BYTES', [-1, 1_000_000]],
  ] as const) {
    const large = { run, signature: { ...signature, inputs: [{ name: 'x', datatype, shape }] } };
    assert.deepEqual(await proveBatching(large, { maxBatchRows: 8 }), {
      batchable: false,
      reason: 'could not be tried: too large',
      standing: 'final',
    });
  }
});

test('the graph counts before any run', async () => {
  const source = { directory: fixture('quantized-onnx'), format: 'onnx' as const };
  const { batchable, reason } = await proveBatching(
    modelOf((rows) => rows),
    { maxBatchRows: 8, source },
  );
  assert.equal(batchable, false);
  assert.match(reason, /^dynamic quantization takes/);
});

test('values to which every answer is NaN prove nothing: others are tried', async () => {
  const mixing = modelOf((rows) =>
    rows.every((row) => Number.isInteger(row)) ? rows.map((row) => row + rows.length) : rows.map(() => NaN),
  );
  const { batchable, reason } = await proveBatching(mixing, { maxBatchRows: 8 });
  assert.deepEqual(
    [batchable, reason],
    [false, "output 'y' of a request changes with the requests beside it"],
  );
  assert.deepEqual(
    await proveBatching(
      modelOf((rows) => rows.map(() => NaN)),
      { maxBatchRows: 8 },
    ),
    {
      batchable: false,
      reason: 'could not be tried: the model refuses random inputs: it answers NaN or infinity only',
      standing: 'final',
    },
  );
});

/** A model of any input with three elements a row, and one FP32 output. */
function modelOfRows(
  datatype: Datatype,
  compute: (rows: unknown[][]) => number[],
): Pick<LoadedModel, 'run' | 'signature'> {
  return {
    signature: {
      inputs: [{ name: 'x', datatype, shape: [-1, 3] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
    },
    run: ([input]: readonly EngineTensor[]) => {
      assert.ok(input);
      const elements = elementsOf(input);
      const rows = Array.from({ length: input.shape[0] ?? 0 }, (_, row) =>
        elements.slice(3 * row, 3 * row + 3),
      );
      const answer = compute(rows);
      return Promise.resolve({ outputs: [tensor('y', 'FP32', [answer.length], answer)], computeMicros: 1 });
    },
  };
}

const numbersOf = (row: readonly unknown[]): number[] => row.map(Number);
const total = (row: readonly unknown[]): number => numbersOf(row).reduce((sum, value) => sum + value, 0);

/** Models that mix rows for a part of the values that they accept. */
const MIXING_SOMETIMES: Readonly<
  Record<string, { readonly datatype: Datatype; readonly compute: (rows: unknown[][]) => number[] }>
> = {
  'where rows are padded with zeros': {
    datatype: 'INT64',
    compute: (rows) => {
      const longest = Math.max(...rows.map((row) => numbersOf(row).filter((id) => id !== 0).length));
      return rows.map((row) => total(row) / longest);
    },
  },
  'where a whole number is -1': {
    datatype: 'INT32',
    compute: (rows) => rows.map((row) => total(row) + rows.filter((other) => other.includes(-1)).length),
  },
  'where a byte has its upper bit': {
    datatype: 'UINT8',
    compute: (rows) => {
      const factor = rows.flatMap(numbersOf).some((value) => value > 127) ? 1 / 255 : 1;
      return rows.map((row) => total(row) * factor);
    },
  },
  'where a row is all zeros': {
    datatype: 'FP32',
    compute: (rows) => {
      const heard = rows.filter((row) => numbersOf(row).some((value) => value !== 0)).length;
      return rows.map((row) => (total(row) * heard) / rows.length);
    },
  },
  'where a neighbor is NaN': {
    datatype: 'FP64',
    compute: (rows) => rows.map((row) => total(row) + 0 * rows.reduce((sum, other) => sum + total(other), 0)),
  },
  'where a neighbor fills in for NaN': {
    datatype: 'FP32',
    compute: (rows) => {
      const known = rows.map(total).find((sum) => !Number.isNaN(sum)) ?? NaN;
      return rows.map((row) => (Number.isNaN(total(row)) ? known : total(row)));
    },
  },
  'where texts have separators': {
    datatype: 'BYTES',
    compute: (rows) => {
      const parts = rows.map((row) => String(row[0]).split('|').length);
      return rows.map((row, index) => String(row[1]).length + (parts[index] ?? 0) / Math.max(...parts));
    },
  },
  'where texts are empty': {
    datatype: 'BYTES',
    compute: (rows) =>
      rows.map((row) => String(row[0]).length + rows.filter((other) => other[0] === '').length),
  },
};

for (const [when, { datatype, compute }] of Object.entries(MIXING_SOMETIMES))
  test(`a model that mixes rows only ${when} is found`, async () => {
    const { batchable, reason } = await proveBatching(modelOfRows(datatype, compute), { maxBatchRows: 8 });
    assert.deepEqual([batchable, reason], [false, MIXING]);
  });

for (const code of ['MODEL_FAILED', 'MODEL_CRASHED'] as const)
  test(`further values that end with ${code} are passed over`, async () => {
    const strict = modelOfRows('INT64', (rows) => {
      if (rows.some((row) => row.some((id) => Number(id) <= 0))) throw new PartituraError(code, 'not an id');
      return rows.map(total);
    });
    const { batchable, standing } = await proveBatching(strict, { maxBatchRows: 8, budgetMs: 60_000 });
    assert.deepEqual([batchable, standing], [true, 'final']);
  });

test('values whose answers are all alike prove nothing: others are tried', async () => {
  const alike = (rows: unknown[][]): number[] =>
    rows.map((row) => (row.every((value) => Number.isInteger(value)) ? total(row) / rows.length : 0));
  const { batchable, reason } = await proveBatching(modelOfRows('FP32', alike), { maxBatchRows: 8 });
  assert.deepEqual([batchable, reason], [false, MIXING]);
});

test('a verdict says so when all answers were alike', async () => {
  const { batchable, reason } = await proveBatching(
    modelOf((rows) => rows.map(() => 1)),
    { maxBatchRows: 8 },
  );
  assert.ok(batchable);
  assert.match(reason, /gave each row its own answer, but all answers were alike$/);
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
