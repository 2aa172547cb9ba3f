import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Datatype } from '../../../schemas/datatypes.js';
import { PartituraError } from '../../../schemas/errors.js';
import type { EngineTensor, LoadedModel } from '../../engine/engine.js';
import { elementsOf, fixture, tensor } from '../../../testing/engine-models.js';
import { proveBatching } from './prove.js';

type Compute = (rows: number[]) => number[];

const MIXING = "output 'y' of a request depends on other requests in the batch";

/** Creates a model with one FP32 input and output. */
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

/** Creates a clock that each run advances by the given milliseconds. */
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

test('mixing that shows only in batches of hundreds of rows is found if there is time', async () => {
  const mixing = modelOf((rows) => (rows.length < 500 ? rows : rows.map(() => rows[0] ?? 0)));
  const { batchable, reason } = await proveBatching(mixing, { maxBatchRows: 1_024, budgetMs: 60_000 });
  assert.equal(batchable, false);
  assert.match(reason, /output 'y' of a request changes/);
});

test('one row more than the largest batch is tried, because such a request would be split', async () => {
  const sizes: number[] = [];
  const echo = modelOf((rows) => {
    sizes.push(rows.length);
    return rows;
  });
  await proveBatching(echo, { maxBatchRows: 70, budgetMs: 60_000 });
  assert.ok(sizes.includes(71));
});

test('a slow model runs only the essential stage', async () => {
  const { now, pass, count } = runsOf(90);
  const { batchable } = await proveBatching(
    modelOf((rows) => rows, pass),
    { maxBatchRows: 64, now },
  );
  assert.deepEqual([batchable, count()], [true, 12]);
});

for (const [ms, patience, finality] of [
  [0, 1, 'final'],
  [15, 1, 'cut-short'],
  [15, 2, 'final'],
  [90, 1, 'cut-short'],
] as const)
  test(`a verdict is ${finality} if a run takes ${ms} ms and the budget is multiplied by ${patience}`, async () => {
    const { now, pass } = runsOf(ms);
    const echo = modelOf((rows) => rows, pass);
    const verdict = await proveBatching(echo, { maxBatchRows: 64, now, patience });
    assert.deepEqual([verdict.batchable, verdict.finality], [true, finality]);
  });

test('a model that is too slow for the essential stage is not batched and is tried again at the next start', async () => {
  const { now, pass } = runsOf(900);
  assert.deepEqual(
    await proveBatching(
      modelOf((rows) => rows, pass),
      { maxBatchRows: 64, now },
    ),
    { batchable: false, reason: 'not verified: trial runs exceeded 3 s', finality: 'cut-short' },
  );
});

test('a proof stops at the first difference', async () => {
  const { now, pass, count } = runsOf(0);
  const first = modelOf((rows) => rows.map(() => rows[0] ?? 0), pass);
  assert.equal((await proveBatching(first, { maxBatchRows: 64, now })).batchable, false);
  assert.ok(count() <= 8);
});

test('a model that deduplicates rows is detected', async () => {
  const { batchable, reason } = await proveBatching(
    modelOf((rows) => [...new Set(rows)]),
    { maxBatchRows: 64 },
  );
  assert.deepEqual([batchable, reason], [false, "output 'y' has 1 row for 2 rows of input"]);
});

/** A model that leaks the largest row of the batch into all outputs, far below rounding. */
const leaking = modelOf((rows) => {
  const leak = Math.max(...rows) / 1e7;
  return rows.map((row) => row + leak);
});

test('leaks smaller than rounding are detected, because the same kernels give the same bits', async () => {
  const { batchable, reason } = await proveBatching(leaking, { maxBatchRows: 8 });
  assert.deepEqual([batchable, reason], [false, MIXING]);
});

test('a model with nondeterministic rounding may differ by rounding', async () => {
  let run = 0;
  const unsteady = modelOf((rows) => {
    run++;
    return rows.map((row) => row * (1 + run * 2 ** -23));
  });
  assert.equal((await proveBatching(unsteady, { maxBatchRows: 8, now: () => 0 })).batchable, true);
});

/** Models whose outputs differ between batches, with the relative excess over single rows. */
const AMPLIFYING: Readonly<Record<string, readonly [isBatched: boolean, excess: Compute]>> = {
  'slightly with the batch size': [true, (rows) => rows.map(() => (rows.length === 1 ? 0 : 1e-3))],
  'considerably with the batch size': [false, (rows) => rows.map(() => (rows.length === 1 ? 0 : 0.1))],
  'with the other rows': [
    false,
    (rows) => rows.map(() => (rows.length === 1 ? 0 : 1e-3 * Math.tanh(Math.max(...rows)))),
  ],
  'with the position in the batch': [false, (rows) => rows.map((_, index) => 1e-4 * Math.sin(index))],
};

for (const [how, [isBatched, excess]] of Object.entries(AMPLIFYING))
  test(`a model whose answers differ ${how} is ${isBatched ? '' : 'not '}batched`, async () => {
    const model = modelOf((rows) => {
      const more = excess(rows);
      return rows.map((row, index) => row * (1 + (more[index] ?? 0)));
    });
    const { batchable, reason } = await proveBatching(model, { maxBatchRows: 64, now: () => 0 });
    assert.equal(batchable, isBatched, reason);
    if (isBatched) assert.match(reason, /rows, within amplified rounding$/);
  });

test('oversized rows are not drawn', async () => {
  const { signature, run } = modelOf(() => assert.fail('must not run'));
  for (const [datatype, shape] of [
    ['FP32', [-1, 100_000, 100_000]],
    ['FP32', [-1, 3, 2_160, 3_840]],
    ['BYTES', [-1, 1_000_000]],
  ] as const) {
    const large = { run, signature: { ...signature, inputs: [{ name: 'x', datatype, shape }] } };
    assert.deepEqual(await proveBatching(large, { maxBatchRows: 8 }), {
      batchable: false,
      reason: 'not verified: rows are too large',
      finality: 'final',
    });
  }
});

test('the graph is checked before any run', async () => {
  const source = { directory: fixture('quantized-onnx'), format: 'onnx' as const };
  const { batchable, reason } = await proveBatching(
    modelOf((rows) => rows),
    { maxBatchRows: 8, source },
  );
  assert.equal(batchable, false);
  assert.match(reason, /^dynamic quantization derives/);
});

test('values whose outputs are all NaN prove nothing, so that others are tried', async () => {
  const mixing = modelOf((rows) =>
    rows.every((row) => Number.isInteger(row)) ? rows.map((row) => row + rows.length) : rows.map(() => NaN),
  );
  const { batchable, reason } = await proveBatching(mixing, { maxBatchRows: 8 });
  assert.deepEqual(
    [batchable, reason],
    [false, "output 'y' of a request depends on other requests in the batch"],
  );
  assert.deepEqual(
    await proveBatching(
      modelOf((rows) => rows.map(() => NaN)),
      { maxBatchRows: 8 },
    ),
    {
      batchable: false,
      reason: 'not verified: the model rejects random inputs: its outputs are all NaN or infinite',
      finality: 'final',
    },
  );
});

/** Creates a model with an input of three elements per row and one FP32 output. */
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

/** Models that mix rows for some values only. */
const MIXING_SOMETIMES: Readonly<
  Record<string, { readonly datatype: Datatype; readonly compute: (rows: unknown[][]) => number[] }>
> = {
  'if rows are padded with zeros': {
    datatype: 'INT64',
    compute: (rows) => {
      const longest = Math.max(...rows.map((row) => numbersOf(row).filter((id) => id !== 0).length));
      return rows.map((row) => total(row) / longest);
    },
  },
  'if an integer is -1': {
    datatype: 'INT32',
    compute: (rows) => rows.map((row) => total(row) + rows.filter((other) => other.includes(-1)).length),
  },
  'if the upper bit of a byte is set': {
    datatype: 'UINT8',
    compute: (rows) => {
      const factor = rows.flatMap(numbersOf).some((value) => value > 127) ? 1 / 255 : 1;
      return rows.map((row) => total(row) * factor);
    },
  },
  'if a row is all zeros': {
    datatype: 'FP32',
    compute: (rows) => {
      const nonZero = rows.filter((row) => numbersOf(row).some((value) => value !== 0)).length;
      return rows.map((row) => (total(row) * nonZero) / rows.length);
    },
  },
  'if a neighbor is NaN': {
    datatype: 'FP64',
    compute: (rows) => rows.map((row) => total(row) + 0 * rows.reduce((sum, other) => sum + total(other), 0)),
  },
  'if a neighbor replaces NaN': {
    datatype: 'FP32',
    compute: (rows) => {
      const known = rows.map(total).find((sum) => !Number.isNaN(sum)) ?? NaN;
      return rows.map((row) => (Number.isNaN(total(row)) ? known : total(row)));
    },
  },
  'if strings have separators': {
    datatype: 'BYTES',
    compute: (rows) => {
      const parts = rows.map((row) => String(row[0]).split('|').length);
      return rows.map((row, index) => String(row[1]).length + (parts[index] ?? 0) / Math.max(...parts));
    },
  },
  'if strings are empty': {
    datatype: 'BYTES',
    compute: (rows) =>
      rows.map((row) => String(row[0]).length + rows.filter((other) => other[0] === '').length),
  },
};

for (const [when, { datatype, compute }] of Object.entries(MIXING_SOMETIMES))
  test(`a model that mixes rows only ${when} is detected`, async () => {
    const { batchable, reason } = await proveBatching(modelOfRows(datatype, compute), { maxBatchRows: 8 });
    assert.deepEqual([batchable, reason], [false, MIXING]);
  });

for (const code of ['MODEL_FAILED', 'MODEL_CRASHED'] as const)
  test(`further values that fail with ${code} are skipped`, async () => {
    const strict = modelOfRows('INT64', (rows) => {
      if (rows.some((row) => row.some((id) => Number(id) <= 0))) throw new PartituraError(code, 'not an id');
      return rows.map(total);
    });
    const { batchable, finality } = await proveBatching(strict, { maxBatchRows: 8, budgetMs: 60_000 });
    assert.deepEqual([batchable, finality], [true, 'final']);
  });

test('values whose outputs are all identical prove nothing, so that others are tried', async () => {
  const indistinct = (rows: unknown[][]): number[] =>
    rows.map((row) => (row.every((value) => Number.isInteger(value)) ? total(row) / rows.length : 0));
  const { batchable, reason } = await proveBatching(modelOfRows('FP32', indistinct), { maxBatchRows: 8 });
  assert.deepEqual([batchable, reason], [false, MIXING]);
});

test('a verdict mentions that all outputs were identical', async () => {
  const { batchable, reason } = await proveBatching(
    modelOf((rows) => rows.map(() => 1)),
    { maxBatchRows: 8 },
  );
  assert.ok(batchable);
  assert.match(reason, /rows, but all outputs were identical$/);
});

test('every proof tries the same values', async () => {
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
