import { PartituraError } from '../../schemas/errors.js';
import type { ModelSignature, ModelSource, Engine, EngineTensor, LoadedModel } from '../engine/engine.js';
import { detectFormat } from '../engine/formats.js';
import { Batcher, systemClock } from '../batching/batcher.js';
import type { VersionFolder } from './repository.js';
import { IsolatedModel, suspectLimits } from './isolated-model.js';
import { readModelSettings } from './settings.js';
import { loadAndTryOut, sufficientRows, type Measured, type TriedOut } from './try-out.js';
import { isBatchable } from './validate.js';

/** A version that answers requests: the model in its engine and the batcher before it. */
export interface ServedVersion {
  readonly model: string;
  readonly version: string;
  readonly signature: ModelSignature;
  readonly backend: string;
  /** Why WebAssembly computes although TensorFlow was preferred, for the log. */
  readonly fallbackReason: string | undefined;
  readonly batcher: Batcher;
  /** Computes jobs in a child process: those that may have crashed the node that computed them. */
  readonly suspects: Batcher;
  /** What trying it out has shown; null when that failed or `model.yaml` says not to. */
  readonly measured: Measured | null;
  /** Why trying it out failed, for the log; the version serves all the same. */
  readonly warmUpProblem: string | undefined;
  /** Answers what is queued, then frees the model. */
  retire(): Promise<void>;
}

export interface BatchDefaults {
  readonly maxBatchRows: number;
  readonly maxBatchDelayMs: number;
  /** See `TryOutLimits`. */
  readonly inlineMicros: number;
}

/** What a version's batches have to do with the rest of the node. */
export interface BatchSurroundings {
  readonly observe: BatchObserver;
  /** A promise while there is no room for more results. */
  readonly room: () => Promise<void> | undefined;
}

/** Called after each batch, for metrics. */
export type BatchObserver = (model: string, rows: number, computeMicros: number) => void;

/**
 * Loads a version, warms it up and learns how fast it is.
 * @throws PartituraError with the reason when it can't be served
 */
export async function serveVersion(
  folder: VersionFolder,
  engine: Engine,
  defaults: BatchDefaults,
  { observe, room }: BatchSurroundings,
): Promise<ServedVersion> {
  const { model, version, directory } = folder;
  const settings = await readModelSettings(directory);
  const format = await detectFormat(directory);
  const maxBatchRows = settings.maxBatchRows ?? defaults.maxBatchRows;
  const source = { model, version, directory, format };
  const tryOutLimits = {
    maxRows: settings.batchable === false ? 1 : maxBatchRows,
    inlineMicros: defaults.inlineMicros,
  };
  const load = (where: Engine): Promise<TriedOut> =>
    settings.warmUp === false ? loadUntried(where, source) : loadAndTryOut(where, source, tryOutLimits);
  const untried = engine.isolated && (await tryFirst(engine.isolated, load));
  const triedOut = await load(engine);
  const { loaded, measured, problem } = triedOut;
  const { signature, backend, fallbackReason } = loaded;
  const limits = {
    maxBatchRows: settings.maxBatchRows ?? sufficientRows(triedOut, tryOutLimits),
    maxBatchDelayMs: settings.maxBatchDelayMs ?? defaults.maxBatchDelayMs,
    parallelism: loaded.threads,
    aheadRows: loaded.isInline ? Infinity : (measured?.bestBatchRows ?? maxBatchRows),
    batchable: settings.batchable !== false && isBatchable(signature),
  };
  const run = async (inputs: readonly EngineTensor[]): ReturnType<LoadedModel['run']> => {
    const rows = inputs[0]?.shape[0] ?? 1;
    const result = await loaded.run(inputs);
    observe(model, rows, result.computeMicros);
    return result;
  };
  const batcher = new Batcher(run, limits, systemClock, room);
  if (measured) batcher.expect(measured.microsPerRow, measured.microsAlone);
  const isolated = new IsolatedModel(engine.isolated ?? engine, source);
  const suspects = new Batcher((inputs) => isolated.run(inputs), suspectLimits(limits), systemClock, room);
  const retire = async (): Promise<void> => {
    await Promise.all([batcher.drained(), suspects.drained()]);
    await Promise.all([loaded.unload(), isolated.unload()]);
  };
  return {
    model,
    version,
    signature,
    backend,
    fallbackReason,
    batcher,
    suspects,
    measured,
    warmUpProblem: untried ?? problem?.message,
    retire,
  };
}

/** The first death may have had another cause: somebody ended the process, or memory was short. */
const MOST_TRIALS = 2;

/**
 * Loads and warms a version up in a child process first: what kills that must not reach the node.
 * @returns why that was not possible, where no child process can be had
 * @throws PartituraError with the reason when it cannot be loaded there, MODEL_CRASHED when processes died of it
 */
async function tryFirst(
  isolated: Engine,
  load: (where: Engine) => Promise<TriedOut>,
): Promise<string | undefined> {
  for (let trial = 1; ; trial++) {
    const error = await failureOf(isolated, load);
    if (!error) return undefined;
    const isPassing = error.code === 'INTERNAL' || error.code === 'MODEL_CRASHED';
    if (isPassing && trial < MOST_TRIALS) continue;
    if (error.code !== 'INTERNAL') throw error;
    return `not tried in a child process: ${error.message}`;
  }
}

async function failureOf(
  isolated: Engine,
  load: (where: Engine) => Promise<TriedOut>,
): Promise<PartituraError | undefined> {
  try {
    const { loaded, problem } = await load(isolated);
    await loaded.unload();
    return problem?.code === 'MODEL_CRASHED' ? problem : undefined;
  } catch (cause) {
    return PartituraError.from(cause);
  }
}

/** Into all threads: where nothing is tried out, nothing says that one would do. */
async function loadUntried(engine: Engine, source: ModelSource): Promise<TriedOut> {
  const loaded = await engine.load(source);
  if (engine.threads > 1) await loaded.spread();
  return { loaded, measured: null, stillGains: true, problem: undefined };
}
