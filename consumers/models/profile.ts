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

/** What trying a model out at load has shown; times are the engine's, microseconds, with inputs of zeros. */
export interface ModelProfile {
  /** A batch of one row. */
  readonly microsAlone: number;
  /** A row of the best batch. */
  readonly microsPerRow: number;
  /** The smallest batch that has 95 % of the best throughput. */
  readonly bestBatchRows: number;
  /** Cores that one operation may use; null where the process decides. */
  readonly cores: number | null;
  readonly threads: number;
  /** Whether it runs in the event loop instead: it is so light that the way to a thread would cost more. */
  readonly inline: boolean;
  /** How many times faster all threads are together than one; null when that was not profile. */
  readonly threadsGain: number | null;
}

/** Batches that take so long gain nothing by being larger, but latency: all that is once for a batch is small beside it. */
const LONG_ENOUGH_MICROS = 100_000;

/** Rows of a batch of a model that nobody has profile. */
const UNMEASURED_ROWS = 256;

/**
 * Rows from which on larger batches gain nothing, as far as that is known; in the event loop those that take no longer
 * than it may be held up.
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
  /** Null when not a single run succeeded. */
  readonly profile: ModelProfile | null;
  /** Whether the largest batch that there was time for was the best: then nothing says where that ends. */
  readonly stillGains: boolean;
  /** Why a run of zeros failed, undefined when none did; the model serves all the same. */
  readonly problem: PartituraError | undefined;
}

export interface ProfileLimits {
  /** Rows that one of its batches can have. */
  readonly maxRows: number;
  /** Whether requests share batches. If not, a single one may have any number of rows. */
  readonly batchable: boolean;
  /** A model whose best batch takes no longer, microseconds, runs in the event loop; 0: none does. */
  readonly inlineMicros: number;
}

/** How much faster all threads must be than one: each costs the model's memory again. */
const WORTH_MORE_THREADS = 1.1;

/** For everything together, loading apart. */
const BUDGET_MS = 250;

/**
 * Loads a model, warms it up and learns how fast it is. Where its cores can be chosen, they are: it is loaded
 * once more with fewer, and what is faster stays.
 * @throws PartituraError when it can't be loaded
 */
export async function loadAndProfile(
  engine: Engine,
  source: ModelSource,
  limits: ProfileLimits,
): Promise<ProfiledModel> {
  const first = await engine.load(source);
  // What loads slowly is large: it has use for every core, and no place in the event loop.
  const isSmall = first.loadMs < BUDGET_MS;
  const choices = first.cores === undefined ? [] : engine.coreChoices.slice(1);
  const budgetMs = BUDGET_MS / (choices.length + 2);
  const kept = await withBestCores(engine, { source, first, choices: isSmall ? choices : [] }, (model) =>
    timeBatches(model, sizesOf(model, limits), budgetMs),
  );
  const best = bestBatch(kept.times);
  // Where it can't be loaded twice it runs in its thread, as all others do.
  if (isSmall && (await isLight(kept.loaded, source, best, limits)))
    await kept.loaded.moveInline().catch(() => undefined);
  const threadsGain = kept.loaded.isInline ? null : await spread(engine, kept.loaded, best, budgetMs);
  return {
    loaded: kept.loaded,
    problem: kept.problem,
    profile: summarise(kept, best, threadsGain),
    stillGains: best === kept.times.at(-1),
  };
}

function sizesOf({ signature }: LoadedModel, { maxRows }: ProfileLimits): number[] {
  return batchSizes(maxRows, bytesPerRow(signature.inputs));
}

/** Whether its best batch is so short, whatever the data, that the event loop can do it by the way. */
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
  /** The model as it was loaded first. */
  readonly first: LoadedModel;
  /** Numbers of cores to compare with. */
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

/** Loads the model with fewer cores, keeps the better of both and unloads the other. */
async function faster(engine: Engine, more: Trial, source: ModelSource, time: TimeModel): Promise<Trial> {
  const loaded = await engine.load(source).catch(() => undefined);
  if (!loaded) return more;
  const fewer = { loaded, ...(await time(loaded)) };
  const [kept, other] = isWorthMoreCores(more.times, fewer.times) ? [more, fewer] : [fewer, more];
  await other.loaded.unload();
  return kept;
}

/** Puts a model into all threads, and takes it back where they are measured to gain nothing. */
async function spread(
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

function summarise(
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
