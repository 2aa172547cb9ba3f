import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { RowTensor } from '../../consumers/batching/rows.js';
import { createEngine, type Engine, type LoadedModel } from '../../consumers/engine/index.js';
import { serveSignatures } from '../../consumers/models/served-signatures.js';
import { SerialQueue } from '../../core/serial.js';
import { VerdictCache } from '../../consumers/models/verdict-cache.js';
import { createLogger } from '../../core/log.js';
import type { Tensor } from '../../schemas/generated.js';
import { decodeElements, encodeElements } from '../../schemas/tensor.js';
import { runBatched } from '../support/run-batched.js';
import { encodeOnnx } from '../support/onnx-writer.js';
import { randomGraph, VOCABULARY, WIDTH, type RandomGraph } from '../support/random-graphs.js';

/** Fixed, so that every run tests the same graphs. */
const SEED = 12;
const GRAPHS = 80;
const TRIES = 6;
/** Rounding of at most five steps, relative to the largest output of a request. */
const TOLERANCE = 1e-4;

const DEFAULTS = { maxBatchRows: 64, maxBatchDelayMs: 0, inlineMicros: 0, batchCheckMs: 0 };
const SURROUNDINGS = {
  observe: () => undefined,
  whenBelowLimit: () => undefined,
  verdicts: new VerdictCache(undefined, createLogger('test', 'silent')),
  onBatchCheck: () => undefined,
  trials: new SerialQueue(),
  profiles: new SerialQueue(),
  postponesProof: () => false,
};

let engine: Engine;
let folder: string;
before(async () => {
  engine = await createEngine({ threads: 1, intraOpThreads: 1 });
  folder = await mkdtemp(join(tmpdir(), 'partitura-graphs-'));
});
after(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

test('requests of random graphs get the same outputs alone, batched and split, as far as the verdict permits', async () => {
  const seen = { batched: 0, unbatched: 0 };
  let count = 0;
  await fc.assert(
    fc.asyncProperty(
      randomGraph,
      fc.array(tries, { minLength: TRIES, maxLength: TRIES }),
      async (graph, sets) => {
        const { model, batchable } = await load(graph, `g${count++}`);
        try {
          if (graph.isRowWise) assert.ok(batchable, 'rows are independent by construction');
          seen[batchable ? 'batched' : 'unbatched']++;
          for (const set of sets) await assertUnmixed(model, batchable, graph, set);
        } finally {
          await model.unload();
        }
      },
    ),
    { seed: SEED, numRuns: GRAPHS, endOnFailure: true },
  );
  assert.ok(seen.batched > GRAPHS / 5 && seen.unbatched > GRAPHS / 5, JSON.stringify(seen));
});

interface Try {
  /** Rows per request. */
  readonly rows: readonly number[];
  readonly maxBatchRows: number;
  readonly parallelism: number;
  readonly seed: number;
}

const tries: fc.Arbitrary<Try> = fc.record({
  rows: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 5 }),
  maxBatchRows: fc.integer({ min: 1, max: 12 }),
  parallelism: fc.integer({ min: 1, max: 2 }),
  seed: fc.integer({ min: 0, max: 1_000 }),
});

/** Loads the model into an engine and as a version, for its batching verdict. */
async function load(graph: RandomGraph, name: string): Promise<{ model: LoadedModel; batchable: boolean }> {
  const directory = join(folder, name, '1');
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'model.onnx'), encodeOnnx(graph));
  const source = { model: name, version: '1', directory, format: 'onnx' as const };
  const { main: served } = await serveSignatures({ ...source, stamp: '' }, engine, DEFAULTS, SURROUNDINGS);
  const { batchable } = served.batcher.limits;
  await served.retire();
  return { model: await engine.load(source), batchable };
}

async function assertUnmixed(
  model: LoadedModel,
  batchable: boolean,
  graph: RandomGraph,
  { rows, seed, ...limits }: Try,
): Promise<void> {
  const requests = rows.map((count, index) => requestOf(graph, count, seed + 17 * index));
  const whole = { maxBatchRows: Infinity, parallelism: 1 };
  const together = await runBatched(model, { ...limits, batchable }, requests);
  for (const [index, request] of requests.entries()) {
    const [alone = []] = await runBatched(model, { ...whole, batchable: false }, [request]);
    alone.forEach((output, place) => assertSame(together[index]?.[place], output, graph));
  }
}

/** Creates values that differ in magnitude and sign between requests. */
function requestOf({ inputs }: RandomGraph, rows: number, seed: number): Tensor[] {
  const scale = 10 ** ((seed % 7) - 3);
  const elements = {
    x: Array.from({ length: rows * WIDTH }, (_, index) => scale * Math.sin(seed + 1.7 * index)),
    ids: Array.from({ length: rows }, (_, index) => BigInt((seed + index) % VOCABULARY)),
    label: Array.from({ length: rows }, (_, index) => `${seed}/${index}`),
  };
  return inputs.map(({ name, type }) => ({
    name,
    datatype: type,
    shape: name === 'x' ? [rows, WIDTH] : [rows],
    data: encodeElements(type, elements[name as keyof typeof elements], name),
  }));
}

function assertSame(together: RowTensor | undefined, alone: RowTensor, { steps }: RandomGraph): void {
  assert.deepEqual(together?.shape, alone.shape, steps.join(', '));
  if (alone.datatype !== 'FP32') return assert.ok(together.data.equals(alone.data), steps.join(', '));
  const [expected, found] = [alone, together].map(({ datatype, data }) =>
    decodeElements(datatype, data).map(Number),
  );
  const size = Math.max(...(expected ?? []).map(Math.abs));
  expected?.forEach((value, index) => {
    const difference = Math.abs(value - (found?.[index] ?? NaN));
    assert.ok(
      difference <= TOLERANCE * size,
      `${steps.join(', ')}: expected ${value}, got ${found?.[index]}`,
    );
  });
}
