import type { SerialQueue } from '../../core/serial.js';
import { Batcher } from '../batching/batcher.js';
import type { BatchLimits } from '../batching/limits.js';
import type {
  Backend,
  Engine,
  EngineResult,
  EngineTensor,
  LoadedModel,
  ModelSignature,
  ModelSource,
  SignatureNames,
} from '../engine/engine.js';
import { lacksOperation } from '../engine/model-errors.js';
import { BatchCheck, type CheckResult } from './batch-check.js';
import type { BatchingVerdict } from './batch-proof/verdict.js';
import { ModelCounter } from './model-counts.js';
import { IsolatedModel, suspectLimits } from './isolated-model.js';
import {
  loadAndProfile,
  sufficientRows,
  type ModelProfile,
  type ProfiledModel,
  type ProfileLimits,
} from './profile.js';
import type { ModelSettings } from './settings.js';
import { tryVersion, type Trial } from './trial.js';
import type { VerdictCache } from './verdict-cache.js';

/** A signature of a version that answers requests: the model in its engine, behind a batcher. */
export interface ServedVersion {
  readonly model: string;
  readonly version: string;
  readonly signature: ModelSignature;
  /** Undefined for formats whose signatures have no names. */
  readonly signatureNames: SignatureNames | undefined;
  readonly backend: Backend;
  /** Duration of the trial in a child process, including the batching proof, milliseconds; for the log. */
  readonly trialMs: number;
  /** The batching verdict. A live check may turn batching off. */
  readonly batching: BatchingVerdict;
  /** True if the proof was postponed and the version is not batched until it is there. */
  readonly isPostponed: boolean;
  /** Reason for the fallback to WebAssembly, for the log. */
  readonly fallbackReason: string | undefined;
  readonly batcher: Batcher;
  readonly counter: ModelCounter;
  /** Computes jobs that may have crashed a node, in a child process. */
  readonly suspects: Batcher;
  /** Null if profiling failed or `model.yaml` turns warm-up off. */
  readonly measured: ModelProfile | null;
  /** Reason why warm-up failed, for the log; the version is served nevertheless. */
  readonly warmUpProblem: string | undefined;
  /** Gives up a postponed proof, with the reason. */
  stayUnbatched(reason: string): void;
  /** Drains queued requests, then unloads the model. */
  retire(): Promise<void>;
}

export interface BatchDefaults {
  readonly maxBatchRows: number;
  readonly maxBatchDelayMs: number;
  /** See `ProfileLimits`. */
  readonly inlineMicros: number;
  /** Interval of batch checks per version, milliseconds; 0 disables them. */
  readonly batchCheckMs: number;
}

/** The parts of the node that a version's batches use. */
export interface BatchSurroundings {
  readonly observe: BatchObserver;
  /** Returns a promise while the results waiting to be sent exceed their limit. */
  readonly whenBelowLimit: () => Promise<void> | undefined;
  readonly verdicts: VerdictCache;
  /** Called after each check of a batch. */
  readonly onBatchCheck: (
    version: Pick<ServedVersion, 'model' | 'version' | 'signatureNames'>,
    result: CheckResult,
    reason: string | undefined,
  ) => void;
}

/** Steps of loading, shared by all versions. */
export interface LoadingSteps {
  /** Trials in the child process, which has one thread. */
  readonly trials: SerialQueue;
  /** Profiles, which would measure each other. */
  readonly profiles: SerialQueue;
  /** See `TrialOptions`. */
  readonly postponesProof: () => boolean;
}

/** Called after each batch, for metrics. */
export type BatchObserver = (model: string, rows: number, computeMicros: number) => void;

/** A version's files, before they are loaded. */
export interface VersionFiles {
  readonly source: ModelSource;
  readonly settings: ModelSettings;
  /** Undefined if not all files can be read. */
  readonly filesHash: string | undefined;
}

/**
 * Loads one signature of a version, proves whether it can be batched, warms it up and profiles it.
 * @throws PartituraError with the reason if it cannot be served
 */
export async function serveVersion(
  files: VersionFiles,
  engine: Engine,
  defaults: BatchDefaults,
  surroundings: BatchSurroundings & LoadingSteps,
): Promise<ServedVersion> {
  const { source, settings, filesHash } = files;
  const maxBatchRows = settings.maxBatchRows ?? defaults.maxBatchRows;
  const { verdicts, postponesProof, trials, profiles } = surroundings;
  const trialOptions = { settings, maxBatchRows, verdicts, filesHash, postponesProof };
  const [trial, trialMs] = await trials.run(() =>
    timed(() => tryVersion(engine.isolated, source, trialOptions)),
  );
  const { batchable } = trial.batching;
  const profileLimits = {
    maxRows: batchable ? maxBatchRows : 1,
    batchable,
    inlineMicros: defaults.inlineMicros,
  };
  const profiled = await profiles.run(() => profile(engine, files, trial, profileLimits));
  const limits = batchLimits(profiled, settings, defaults, profileLimits);
  const isolated = new IsolatedModel(engine.isolated ?? engine, source);
  return new BatchedVersion({ files, trial, trialMs, profiled, isolated, limits, defaults, surroundings });
}

/** @returns the result, and the duration in whole milliseconds */
async function timed<T>(task: () => Promise<T>): Promise<[T, number]> {
  const startedAt = performance.now();
  const result = await task();
  return [result, Math.round(performance.now() - startedAt)];
}

async function profile(
  engine: Engine,
  { source, settings }: VersionFiles,
  trial: Trial,
  limits: ProfileLimits,
): Promise<ProfiledModel> {
  const isSkipped = settings.warmUp === false || trial.hangs;
  const profiled = await (isSkipped
    ? loadUnprofiled(engine, source)
    : loadAndProfile(engine, source, limits));
  if (!profiled.problem || !lacksOperation(profiled.problem)) return profiled;
  await profiled.loaded.unload();
  throw profiled.problem;
}

/** Loads a model into all threads, because without a profile one thread may not be enough. */
async function loadUnprofiled(engine: Engine, source: ModelSource): Promise<ProfiledModel> {
  const loaded = await engine.load(source);
  if (engine.threads > 1) await loaded.replicateToAllThreads();
  return { loaded, profile: null, stillGains: true, problem: undefined };
}

function batchLimits(
  profiled: ProfiledModel,
  settings: ModelSettings,
  defaults: BatchDefaults,
  limits: ProfileLimits,
): BatchLimits {
  const { loaded, profile } = profiled;
  const mostRows = settings.maxBatchRows ?? defaults.maxBatchRows;
  return {
    maxBatchRows: settings.maxBatchRows ?? sufficientRows(profiled, limits),
    maxBatchDelayMs: settings.maxBatchDelayMs ?? defaults.maxBatchDelayMs,
    parallelism: loaded.threads,
    prefetchRows: loaded.isInline ? Infinity : (profile?.bestBatchRows ?? mostRows),
    batchable: limits.batchable,
  };
}

interface BatchedVersionParts {
  readonly files: VersionFiles;
  readonly trial: Trial;
  readonly trialMs: number;
  readonly profiled: ProfiledModel;
  readonly isolated: IsolatedModel;
  readonly limits: BatchLimits;
  readonly defaults: BatchDefaults;
  readonly surroundings: BatchSurroundings;
}

/** A loaded signature with its batchers and its live check. */
class BatchedVersion implements ServedVersion {
  readonly model: string;
  readonly version: string;
  readonly signature: ModelSignature;
  readonly signatureNames: SignatureNames | undefined;
  readonly backend: Backend;
  readonly fallbackReason: string | undefined;
  readonly trialMs: number;
  readonly batcher: Batcher;
  readonly counter = new ModelCounter(Date.now);
  readonly suspects: Batcher;
  readonly measured: ModelProfile | null;
  readonly warmUpProblem: string | undefined;
  readonly #loaded: LoadedModel;
  readonly #check: BatchCheck | undefined;
  #batching: BatchingVerdict;
  #isPostponed: boolean;
  #remembering: Promise<unknown> | undefined;

  constructor(readonly parts: BatchedVersionParts) {
    const { files, trial, profiled, isolated, limits } = parts;
    const { loaded, profile, problem } = profiled;
    const { whenBelowLimit } = parts.surroundings;
    this.model = files.source.model;
    this.version = files.source.version;
    this.signature = loaded.signature;
    this.signatureNames = loaded.signatureNames;
    this.backend = loaded.backend;
    this.fallbackReason = loaded.fallbackReason;
    this.trialMs = parts.trialMs;
    this.measured = profile;
    this.warmUpProblem = trial.problem ?? problem?.message;
    this.#loaded = loaded;
    this.#batching = trial.batching;
    this.#isPostponed = trial.isPostponed;
    this.#check = this.#createCheck();
    this.batcher = new Batcher((inputs) => this.#run(inputs), limits, { whenBelowLimit, watch: this.#check });
    if (profile) this.batcher.prime(profile.microsPerRow, profile.microsAlone);
    this.suspects = new Batcher((inputs) => isolated.run(inputs), suspectLimits(limits), { whenBelowLimit });
  }

  get batching(): BatchingVerdict {
    return this.#batching;
  }

  get isPostponed(): boolean {
    return this.#isPostponed;
  }

  stayUnbatched(reason: string): void {
    this.#isPostponed = false;
    this.#batching = { batchable: false, reason };
  }

  async #run(inputs: readonly EngineTensor[]): Promise<EngineResult> {
    const rows = inputs[0]?.shape[0] ?? 1;
    const result = await this.#loaded.run(inputs);
    this.counter.computed();
    this.parts.surroundings.observe(this.model, rows, result.computeMicros);
    return result;
  }

  /** Creates the live check, unless `model.yaml` sets `batchable`, which overrides all checks. */
  #createCheck(): BatchCheck | undefined {
    const { files, limits, defaults, surroundings } = this.parts;
    if (!limits.batchable || files.settings.batchable !== undefined || defaults.batchCheckMs === 0)
      return undefined;
    const onResult = (result: CheckResult, reason: string | undefined): void => {
      if (result === 'different') this.#stopBatching(reason ?? '');
      surroundings.onBatchCheck(this, result, reason);
    };
    const options = { intervalMs: defaults.batchCheckMs, onResult };
    return new BatchCheck((inputs) => this.#loaded.run(inputs), options);
  }

  #stopBatching(reason: string): void {
    const { trial, surroundings } = this.parts;
    this.#batching = { batchable: false, reason: `live check found a difference: ${reason}` };
    this.batcher.stopBatching();
    this.suspects.stopBatching();
    this.#check?.end();
    if (trial.verdictKey) this.#remembering = surroundings.verdicts.store(trial.verdictKey, this.#batching);
  }

  async retire(): Promise<void> {
    await Promise.all([this.batcher.drained(), this.suspects.drained()]);
    this.#check?.end();
    await Promise.all([this.#loaded.unload(), this.parts.isolated.unload(), this.#remembering]);
  }
}
