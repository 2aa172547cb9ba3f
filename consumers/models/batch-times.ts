import { ELEMENT_BYTES, elementCount } from '../../schemas/datatypes.js';
import { PartituraError } from '../../schemas/errors.js';
import type { EngineTensor, LoadedModel, TensorSpec } from '../engine/engine.js';

/** How long the engine takes for a batch of so many rows. */
export interface BatchTime {
  readonly rows: number;
  readonly micros: number;
}

export interface BatchTimes {
  /** Ascending; as many sizes as the budget allowed. */
  readonly times: readonly BatchTime[];
  /** Why a run failed, undefined when none did. */
  readonly problem: PartituraError | undefined;
}

type TimedModel = Pick<LoadedModel, 'run' | 'signature'>;

/** Sizes are this factor apart. */
const STEP = 4;
/** How often a size is run at most; the shortest run counts, for the others had to share the processor. */
const RUNS_OF_A_SIZE = 5;
/** The part of the budget that repeating one size may take. */
const SHARE_OF_A_SIZE = 1 / 8;
const LONGEST_RUN_MICROS = 50_000;
/** Inputs of one batch: what is measured must not be what fills the memory. */
const MAX_BATCH_BYTES = 32 * 2 ** 20;
/** The part of the best throughput that makes a smaller batch good enough: it has the shorter latency. */
const GOOD_ENOUGH = 0.95;
/** How much faster more cores must be: the rest of the node has use for them too. */
const WORTH_MORE_CORES = 1.1;
/** Batches of each thread at most when threads are compared. */
const ROUNDS = 8;
/** A BYTES element of length 0 is its length alone. */
const EMPTY_STRING_BYTES = 4;

/** The sizes to measure: 1, 4, 16 … and the largest that batches can have. */
export function batchSizes(maxRows: number, bytesPerRow: number): number[] {
  const most = Math.min(maxRows, Math.max(1, Math.floor(MAX_BATCH_BYTES / bytesPerRow)));
  const sizes: number[] = [];
  for (let rows = 1; rows < most; rows *= STEP) sizes.push(rows);
  return [...sizes, most];
}

/** The smallest batch that has all but a little of the best throughput; undefined without any. */
export function bestBatch(times: readonly BatchTime[]): BatchTime | undefined {
  const best = Math.max(...times.map(throughput));
  return times.find((time) => throughput(time) >= GOOD_ENOUGH * best);
}

function throughput({ rows, micros }: BatchTime): number {
  return rows / Math.max(micros, 1);
}

/** Whether a model with more cores is so much faster that it should have them. */
export function isWorthMoreCores(more: readonly BatchTime[], fewer: readonly BatchTime[]): boolean {
  const [withMore, withFewer] = [bestBatch(more), bestBatch(fewer)];
  if (!withMore || !withFewer) return withFewer === undefined;
  return throughput(withMore) >= WORTH_MORE_CORES * throughput(withFewer);
}

/**
 * Runs batches of zeros of growing size until a single one takes too long or the next one would outlast the
 * budget. The first of all is only to warm up. Never throws: what fails is a problem to be told.
 */
export async function timeBatches(
  model: TimedModel,
  sizes: readonly number[],
  budgetMs: number,
  now: () => number = () => performance.now(),
): Promise<BatchTimes> {
  const end = now() + budgetMs;
  const times: BatchTime[] = [];
  let tried = sizes[0] ?? 1;
  try {
    await runZeros(model, tried);
    for (const rows of sizes) {
      const last = times.at(-1);
      if (last && now() + (STEP * last.micros) / 1_000 > end) break;
      tried = rows;
      const enough = Math.min(end, now() + budgetMs * SHARE_OF_A_SIZE);
      times.push({ rows, micros: await shortestRun(model, rows, [enough, end], now) });
      if ((times.at(-1)?.micros ?? 0) > LONGEST_RUN_MICROS) break;
    }
    return { times, problem: undefined };
  } catch (error) {
    const { code, message } = PartituraError.from(error, 'MODEL_FAILED');
    return { times, problem: new PartituraError(code, `a batch of ${tried}: ${message}`) };
  }
}

/** Never of the first run alone where there is time for a second: a new size may cost the runtime a set-up of its own. */
async function shortestRun(
  model: TimedModel,
  rows: number,
  [enough, end]: readonly [number, number],
  now: () => number,
): Promise<number> {
  let shortest = await runZeros(model, rows);
  for (let run = 1; run < RUNS_OF_A_SIZE && now() < (run === 1 ? end : enough); run++) {
    shortest = Math.min(shortest, await runZeros(model, rows));
  }
  return shortest;
}

/**
 * Warms all threads up, then tells how many times faster batches are done by all at once than one after the
 * other; null when they take too long to be compared within the budget, or fail.
 */
export async function gainOfThreads(
  model: LoadedModel,
  { rows, micros }: BatchTime,
  { threads, budgetMs }: { threads: number; budgetMs: number },
  now: () => number = () => performance.now(),
): Promise<number | null> {
  const rounds = Math.min(ROUNDS, Math.floor((budgetMs * 1_000) / (2 * threads * Math.max(micros, 1))));
  const runInTurn = async (count: number): Promise<void> => {
    for (let run = 0; run < count; run++) await runZeros(model, rows);
  };
  try {
    await Promise.all(Array.from({ length: threads }, () => runZeros(model, rows)));
    if (rounds === 0) return null;
    const begun = now();
    await runInTurn(rounds * threads);
    const between = now();
    await Promise.all(Array.from({ length: threads }, () => runInTurn(rounds)));
    return (between - begun) / (now() - between);
  } catch {
    return null;
  }
}

/** @returns microseconds in the engine */
async function runZeros(model: TimedModel, rows: number): Promise<number> {
  const { computeMicros } = await model.run(model.signature.inputs.map((spec) => zeros(spec, rows)));
  return computeMicros;
}

/** @param rows taken where the first dimension is free; other free dimensions are 1 */
function zeros({ name, datatype, shape }: TensorSpec, rows: number): EngineTensor {
  const concrete = shape.map((dimension, index) => (dimension !== -1 ? dimension : index === 0 ? rows : 1));
  return {
    name,
    datatype,
    shape: concrete,
    data: new Uint8Array(byteCount({ name, datatype, shape: concrete })),
  };
}

/** Bytes of one row in all inputs together. */
export function bytesPerRow(inputs: readonly TensorSpec[]): number {
  return inputs.reduce((sum, spec) => sum + byteCount({ ...spec, shape: spec.shape.map(Math.abs) }), 0);
}

function byteCount({ datatype, shape }: TensorSpec): number {
  return elementCount(shape) * (ELEMENT_BYTES[datatype] ?? EMPTY_STRING_BYTES);
}
