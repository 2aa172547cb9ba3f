import type { PartituraError } from '../../schemas/errors.js';
import type { Engine, LoadedModel, ModelSource } from '../engine/engine.js';
import {
  bytesPerRow,
  batchSizes,
  bestBatch,
  gainOfThreads,
  isWorthMoreCores,
  timeBatches,
  type BatchTime,
  type BatchTimes,
} from './batch-times.js';
import { hasConstantCost } from './constant-cost.js';

/** Measurements of a model at load time; engine times in microseconds, with inputs of zeros. */
export interface ModelProfile {
  /** Time of a batch of one row. */
  readonly microsAlone: number;
  /** Time per row of the best batch. */
  readonly microsPerRow: number;
  /** Size of the smallest batch with 95 % of the best throughput. */
  readonly bestBatchRows: number;
  /** Cores that one operation may use; null if the process decides. */
  readonly cores: number | null;
  readonly threads: number;
  /** True if it runs on the event loop, because it is cheaper than the hop to a worker thread. */
  readonly inline: boolean;
  /** Speedup of all threads over one; null if not measured. */
  readonly threadsGain: number | null;
}

/** Batch time beyond which larger batches only add latency, because the per-batch overhead is negligible. */
const LONG_ENOUGH_MICROS = 100_000;

/** Maximum batch rows of a model without a profile. */
const UNMEASURED_ROWS = 256;

/**
 * Returns the number of rows beyond which larger batches gain nothing, as far as is known; on the event loop, the number
 * that does not block it too long.
 */
export function sufficientRows(
  { profile, stillGains }: Pick<ProfiledModel, 'profile' | 'stillGains'>,
  { maxRows, inlineMicros }: Pick<ProfileLimits, 'maxRows' | 'inlineMicros'>,
): number {
  if (!profile || (stillGains && !profile.inline)) return Math.min(maxRows, UNMEASURED_ROWS);
  const { bestBatchRows, microsPerRow, inline } = profile;
  const micros = inline ? inlineMicros : LONG_ENOUGH_MICROS;
  return Math.min(maxRows, Math.max(bestBatchRows, Math.ceil(micros / microsPerRow)));
}

export interface ProfiledModel {
  readonly loaded: LoadedModel;
  /** Null if no run succeeded. */
  readonly profile: ModelProfile | null;
  /** True if the largest measured batch was the best, so that even larger ones may be better. */
  readonly stillGains: boolean;
  /** Error of a failed run of zeros, undefined if none failed; the model is served anyway. */
  readonly problem: PartituraError | undefined;
}

export interface ProfileLimits {
  /** Maximum rows of a batch. */
  readonly maxRows: number;
  /** True if requests may share batches. If false, one request may have any number of rows. */
  readonly batchable: boolean;
  /** Models whose best batch takes at most this many microseconds run on the event loop; 0 disables this. */
  readonly inlineMicros: number;
}

/** Minimum speedup that justifies all threads, each of which holds a copy of the model. */
const WORTH_MORE_THREADS = 1.1;

/** Total time budget of profiling, excluding loading. */
const BUDGET_MS = 250;

/**
 * Loads, warms up and profiles a model. If its number of cores is configurable, it is loaded again with fewer cores and the
 * faster variant is kept.
 * @throws PartituraError if it cannot be loaded
 */
export async function loadAndProfile(
  engine: Engine,
  source: ModelSource,
  limits: ProfileLimits,
): Promise<ProfiledModel> {
  const first = await engine.load(source);
  // A model that loads slowly is large: it benefits from every core and does not belong on the event loop.
  const isSmall = first.loadMs < BUDGET_MS;
  const choices = first.cores === undefined ? [] : engine.coreChoices.slice(1);
  const budgetMs = BUDGET_MS / (choices.length + 2);
  const kept = await withBestCores(engine, { source, first, choices: isSmall ? choices : [] }, (model) =>
    timeBatches(model, sizesOf(model, limits), budgetMs),
  );
  const best = bestBatch(kept.times);
  // If it cannot be loaded a second time, it stays in its worker thread.
  if (isSmall && (await isLight(kept.loaded, source, best, limits)))
    await kept.loaded.moveInline().catch(() => undefined);
  const threadsGain = kept.loaded.isInline ? null : await replicate(engine, kept.loaded, best, budgetMs);
  return {
    loaded: kept.loaded,
    problem: kept.problem,
    profile: summarize(kept, best, threadsGain),
    stillGains: best === kept.times.at(-1),
  };
}

function sizesOf({ signature }: LoadedModel, { maxRows }: ProfileLimits): number[] {
  return batchSizes(maxRows, bytesPerRow(signature.inputs));
}

/** True if its best batch is short enough for the event loop, whatever the data. */
async function isLight(
  { signature }: LoadedModel,
  source: ModelSource,
  best: BatchTime | undefined,
  { inlineMicros, batchable }: ProfileLimits,
): Promise<boolean> {
  return (
    best !== undefined && best.micros <= inlineMicros && (await hasConstantCost(source, signature, batchable))
  );
}

type Trial = BatchTimes & { readonly loaded: LoadedModel };

type TimeModel = (model: LoadedModel) => Promise<BatchTimes>;

interface CoreSearch {
  readonly source: ModelSource;
  /** The model as loaded initially. */
  readonly first: LoadedModel;
  /** Other core counts to compare. */
  readonly choices: readonly number[];
}

/** Returns the model with the number of cores that makes it fastest. */
async function withBestCores(
  engine: Engine,
  { source, first, choices }: CoreSearch,
  time: TimeModel,
): Promise<Trial> {
  let kept: Trial = { loaded: first, ...(await time(first)) };
  for (const cores of choices) kept = await faster(engine, kept, { ...source, cores }, time);
  return kept;
}

/** Loads the model with fewer cores, keeps the faster variant and unloads the other. */
async function faster(engine: Engine, more: Trial, source: ModelSource, time: TimeModel): Promise<Trial> {
  const loaded = await engine.load(source).catch(() => undefined);
  if (!loaded) return more;
  const fewer = { loaded, ...(await time(loaded)) };
  const [kept, other] = isWorthMoreCores(more.times, fewer.times) ? [more, fewer] : [fewer, more];
  await other.loaded.unload();
  return kept;
}

/** Replicates a model to all threads, unless they are measured to gain nothing. */
async function replicate(
  { threads }: Engine,
  loaded: LoadedModel,
  best: BatchTime | undefined,
  budgetMs: number,
): Promise<number | null> {
  if (threads === 1) return null;
  await loaded.replicateToAllThreads();
  const gain = best ? await gainOfThreads(loaded, best, { threads, budgetMs }) : null;
  if (gain !== null && gain < WORTH_MORE_THREADS) await loaded.shrinkToOneThread();
  return gain;
}

function summarize(
  { loaded, times }: Trial,
  best: BatchTime | undefined,
  threadsGain: number | null,
): ModelProfile | null {
  const [alone] = times;
  if (!alone || !best) return null;
  return {
    microsAlone: alone.micros,
    microsPerRow: best.micros / best.rows,
    bestBatchRows: best.rows,
    cores: loaded.cores ?? null,
    threads: loaded.threads,
    inline: loaded.isInline,
    threadsGain,
  };
}
