import type {
  Backend,
  Engine,
  EngineTensor,
  LoadedModel,
  ModelSignature,
  ModelSource,
  SignatureNames,
} from '../engine/engine.js';
import { lacksOperation } from '../engine/model-errors.js';
import { Batcher, systemClock } from '../batching/batcher.js';
import { IsolatedModel, suspectLimits } from './isolated-model.js';
import type { ModelSettings } from './settings.js';
import { loadAndProfile, sufficientRows, type ModelProfile, type ProfiledModel } from './profile.js';
import { BatchCheck, type CheckResult } from './batch-check.js';
import type { BatchingVerdict } from './batch-proof/verdict.js';
import { tryVersion } from './trial.js';
import type { VerdictMemory } from './verdict-memory.js';

/** A signature of a version that answers requests: the model in its engine and the batcher before it. */
export interface ServedVersion {
  readonly model: string;
  readonly version: string;
  readonly signature: ModelSignature;
  /** Undefined where signatures have no names. */
  readonly signatureNames: SignatureNames | undefined;
  readonly backend: Backend;
  /** How long its trial in a child process took, proof of batching included, milliseconds; for the log. */
  readonly trialMs: number;
  /** Whether requests share batches, and why. A check in service may turn it off. */
  readonly batching: BatchingVerdict;
  /** Why WebAssembly computes although TensorFlow was preferred, for the log. */
  readonly fallbackReason: string | undefined;
  readonly batcher: Batcher;
  /** Computes jobs in a child process: those that may have crashed the node that computed them. */
  readonly suspects: Batcher;
  /** What trying it out has shown; null when that failed or `model.yaml` says not to. */
  readonly measured: ModelProfile | null;
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
  /** How often a batch of a version is checked row by row, milliseconds; 0: never. */
  readonly batchCheckMs: number;
}

/** What a version's batches have to do with the rest of the node. */
export interface BatchSurroundings {
  readonly observe: BatchObserver;
  /** A promise while there is no room for more results. */
  readonly whenBelowLimit: () => Promise<void> | undefined;
  readonly verdicts: VerdictMemory;
  /** Called after each check of a batch. */
  readonly onBatchCheck: (
    version: Pick<ServedVersion, 'model' | 'version' | 'signatureNames'>,
    result: CheckResult,
    reason: string | undefined,
  ) => void;
}

/** Called after each batch, for metrics. */
export type BatchObserver = (model: string, rows: number, computeMicros: number) => void;

/** A version's files and what is known of them before they are loaded. */
export interface VersionFiles {
  readonly source: ModelSource;
  readonly settings: ModelSettings;
  /** Undefined where they cannot be read as a whole. */
  readonly filesHash: string | undefined;
}

/**
 * Loads one signature of a version, warms it up and learns how fast it is.
 * @throws PartituraError with the reason when it cannot be served
 */
export async function serveVersion(
  { source, settings, filesHash }: VersionFiles,
  engine: Engine,
  defaults: BatchDefaults,
  { observe, whenBelowLimit, verdicts, onBatchCheck }: BatchSurroundings,
): Promise<ServedVersion> {
  const { model, version } = source;
  const maxBatchRows = settings.maxBatchRows ?? defaults.maxBatchRows;
  const begun = performance.now();
  const trial = await tryVersion(engine.isolated, source, {
    settings,
    maxBatchRows,
    verdicts,
    filesHash,
  });
  const trialMs = Math.round(performance.now() - begun);
  let { batching } = trial;
  const { batchable } = batching;
  const tryOutLimits = {
    maxRows: batchable ? maxBatchRows : 1,
    batchable,
    inlineMicros: defaults.inlineMicros,
  };
  const triedOut =
    settings.warmUp === false || trial.hangs
      ? await loadUntried(engine, source)
      : await loadAndProfile(engine, source, tryOutLimits);
  const { loaded, profile, problem } = triedOut;
  if (problem && lacksOperation(problem)) {
    await loaded.unload();
    throw problem;
  }
  const { signature, signatureNames, backend, fallbackReason } = loaded;
  const limits = {
    maxBatchRows: settings.maxBatchRows ?? sufficientRows(triedOut, tryOutLimits),
    maxBatchDelayMs: settings.maxBatchDelayMs ?? defaults.maxBatchDelayMs,
    parallelism: loaded.threads,
    prefetchRows: loaded.isInline ? Infinity : (profile?.bestBatchRows ?? maxBatchRows),
    batchable,
  };
  const run = async (inputs: readonly EngineTensor[]): ReturnType<LoadedModel['run']> => {
    const rows = inputs[0]?.shape[0] ?? 1;
    const result = await loaded.run(inputs);
    observe(model, rows, result.computeMicros);
    return result;
  };
  const onResult = (result: CheckResult, reason: string | undefined): void => {
    if (result === 'different') stopBatching(reason ?? '');
    onBatchCheck({ model, version, signatureNames }, result, reason);
  };
  // What the operator says in `model.yaml` is not held against anything.
  const isChecked = batchable && settings.batchable === undefined && defaults.batchCheckMs > 0;
  const check = isChecked
    ? new BatchCheck((inputs) => loaded.run(inputs), { intervalMs: defaults.batchCheckMs, onResult })
    : undefined;
  const batcher = new Batcher(run, limits, systemClock, whenBelowLimit, check);
  if (profile) batcher.prime(profile.microsPerRow, profile.microsAlone);
  const isolated = new IsolatedModel(engine.isolated ?? engine, source);
  const suspects = new Batcher(
    (inputs) => isolated.run(inputs),
    suspectLimits(limits),
    systemClock,
    whenBelowLimit,
  );
  let remembering: Promise<unknown> | undefined;
  const stopBatching = (reason: string): void => {
    batching = { batchable: false, reason: `answers in service differed: ${reason}` };
    batcher.stopBatching();
    suspects.stopBatching();
    check?.end();
    if (trial.verdictKey) remembering = verdicts.remember(trial.verdictKey, batching);
  };
  const retire = async (): Promise<void> => {
    await Promise.all([batcher.drained(), suspects.drained()]);
    check?.end();
    await Promise.all([loaded.unload(), isolated.unload(), remembering]);
  };
  return {
    model,
    version,
    signature,
    signatureNames,
    backend,
    trialMs,
    get batching() {
      return batching;
    },
    fallbackReason,
    batcher,
    suspects,
    measured: profile,
    warmUpProblem: trial.problem ?? problem?.message,
    retire,
  };
}

/** Into all threads: where nothing is tried out, nothing says that one would do. */
async function loadUntried(engine: Engine, source: ModelSource): Promise<ProfiledModel> {
  const loaded = await engine.load(source);
  if (engine.threads > 1) await loaded.replicateToAllThreads();
  return { loaded, profile: null, stillGains: true, problem: undefined };
}
