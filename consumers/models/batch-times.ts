import { ELEMENT_BYTES, elementCount } from '../../schemas/datatypes.js';
import { PartituraError } from '../../schemas/errors.js';
import type { EngineTensor, LoadedModel, TensorSpec } from '../engine/engine.js';

/** Engine time of a batch with a given number of rows. */
export interface BatchTime {
  readonly rows: number;
  readonly micros: number;
}

export interface BatchTimes {
  /** Measurements in ascending order of size, as many as the budget allowed. */
  readonly times: readonly BatchTime[];
  /** Error of a failed run, undefined if none failed. */
  readonly problem: PartituraError | undefined;
}

type TimedModel = Pick<LoadedModel, 'run' | 'signature'>;

/** Factor between consecutive sizes. */
const STEP = 4;
/** Maximum runs per size; the shortest counts, because the others shared the CPU. */
const RUNS_OF_A_SIZE = 5;
/** Fraction of the budget for repeating one size. */
const SHARE_OF_A_SIZE = 1 / 8;
/** Run time beyond which larger sizes are not measured. */
const LONGEST_RUN_MICROS = 50_000;
/** Maximum input size of one batch, so that profiling does not exhaust memory. */
const MAX_BATCH_BYTES = 32 * 2 ** 20;
/** Fraction of the best throughput at which a smaller batch is preferred for its lower latency. */
const GOOD_ENOUGH = 0.95;
/** Minimum speedup that justifies more cores, which the rest of the node can use too. */
const WORTH_MORE_CORES = 1.1;
/** Maximum batches per thread when thread counts are compared. */
const ROUNDS = 8;
/** Size of an empty BYTES element, which is just its length prefix. */
const EMPTY_STRING_BYTES = 4;

/** Returns the sizes to measure: 1, 4, 16, … and the maximum batch size. */
export function batchSizes(maxRows: number, bytesPerRow: number): number[] {
  const most = Math.min(maxRows, Math.max(1, Math.floor(MAX_BATCH_BYTES / bytesPerRow)));
  const sizes: number[] = [];
  for (let rows = 1; rows < most; rows *= STEP) sizes.push(rows);
  return [...sizes, most];
}

/** Returns the smallest batch with close to the best throughput; undefined if nothing was measured. */
export function bestBatch(times: readonly BatchTime[]): BatchTime | undefined {
  const best = Math.max(...times.map(throughput));
  return times.find((time) => throughput(time) >= GOOD_ENOUGH * best);
}

function throughput({ rows, micros }: BatchTime): number {
  return rows / Math.max(micros, 1);
}

/** True if more cores make the model fast enough to justify them. */
export function isWorthMoreCores(more: readonly BatchTime[], fewer: readonly BatchTime[]): boolean {
  const [withMore, withFewer] = [bestBatch(more), bestBatch(fewer)];
  if (!withMore || !withFewer) return withFewer === undefined;
  return throughput(withMore) >= WORTH_MORE_CORES * throughput(withFewer);
}

/**
 * Runs batches of zeros of increasing size until one takes too long or the next would exceed the budget. The first run is
 * only a warm-up. Never throws: a failure is returned as `problem`.
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

/**
 * Measures the shortest run of a size. Runs it at least twice if time allows, since the first run of a new size may include
 * setup.
 */
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
 * Warms up all threads, then measures the speedup of running batches on all threads over running them sequentially; null if
 * the comparison would exceed the budget or a run fails.
 */
export async function gainOfThreads(
  model: LoadedModel,
  { rows, micros }: BatchTime,
  { threads, budgetMs }: { threads: number; budgetMs: number },
  now: () => number = () => performance.now(),
): Promise<number | null> {
  const rounds = Math.min(ROUNDS, Math.floor((budgetMs * 1_000) / (2 * threads * Math.max(micros, 1))));
  const runSequentially = async (count: number): Promise<void> => {
    for (let run = 0; run < count; run++) await runZeros(model, rows);
  };
  try {
    await Promise.all(Array.from({ length: threads }, () => runZeros(model, rows)));
    if (rounds === 0) return null;
    const startedAt = now();
    await runSequentially(rounds * threads);
    const between = now();
    await Promise.all(Array.from({ length: threads }, () => runSequentially(rounds)));
    return (between - startedAt) / (now() - between);
  } catch {
    return null;
  }
}

/** @returns engine time in microseconds */
async function runZeros(model: TimedModel, rows: number): Promise<number> {
  const { computeMicros } = await model.run(model.signature.inputs.map((spec) => zeros(spec, rows)));
  return computeMicros;
}

/** @param rows size of an open first dimension; other open dimensions are 1 */
function zeros({ name, datatype, shape }: TensorSpec, rows: number): EngineTensor {
  const concrete = shape.map((dimension, index) => (dimension !== -1 ? dimension : index === 0 ? rows : 1));
  return {
    name,
    datatype,
    shape: concrete,
    data: new Uint8Array(byteCount({ name, datatype, shape: concrete })),
  };
}

/** Returns the bytes of one row over all inputs. */
export function bytesPerRow(inputs: readonly TensorSpec[]): number {
  return inputs.reduce((sum, spec) => sum + byteCount({ ...spec, shape: spec.shape.map(Math.abs) }), 0);
}

function byteCount({ datatype, shape }: TensorSpec): number {
  return elementCount(shape) * (ELEMENT_BYTES[datatype] ?? EMPTY_STRING_BYTES);
}
