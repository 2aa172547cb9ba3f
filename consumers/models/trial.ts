import { PartituraError } from '../../schemas/errors.js';
import type { Engine, EngineTensor, LoadedModel, ModelSource } from '../engine/engine.js';
import { lacksOperation } from '../engine/model-errors.js';
import { formatNamed } from '../engine/formats.js';
import { runtimeVersion } from '../engine/runtime-version.js';
import { proveBatching, type ProvenVerdict } from './batch-proof/prove.js';
import { obstacleToBatching, type BatchingVerdict } from './batch-proof/verdict.js';
import { batchSizes, bytesPerRow, timeBatches, type BatchTimes } from './batch-times.js';
import type { ModelSettings } from './settings.js';
import { isFinal, type CachedVerdict, type VerdictCache } from './verdict-cache.js';

/** Result of the trial of a version in a child process. */
export interface Trial {
  readonly batching: BatchingVerdict;
  /** Key of everything the verdict depends on; undefined if none was proven. */
  readonly verdictKey: readonly string[] | undefined;
  /** Reason why the trial failed, for the log. */
  readonly problem: string | undefined;
  /** True if a run of zeros did not finish, so that the node must not warm up with zeros either. */
  readonly hangs: boolean;
  /** True if the proof was postponed, so that nothing is known yet. */
  readonly isPostponed: boolean;
}

export interface TrialOptions {
  readonly settings: ModelSettings;
  readonly maxBatchRows: number;
  readonly verdicts: VerdictCache;
  /** Hash of the version's files; without it no verdict is stored. */
  readonly filesHash: string | undefined;
  /** Returns true if a proof is to be postponed now; models that load slowly are proven anyway. Default never. */
  readonly postponesProof?: (() => boolean) | undefined;
  /** Time limit for one batch of zeros, milliseconds. Default 30 s. */
  readonly warmUpLimitMs?: number;
  /** Clock of the proof, milliseconds; injected by tests. */
  readonly now?: () => number;
}

/** Revision of the proof; bump it with every change that may affect a verdict. */
const PROOF_REVISION = '4';
/**
 * Load time beyond which a proof is not postponed, milliseconds: the model is large, so that loading it a second time
 * costs more than the proof.
 */
const SLOW_LOAD_MS = 250;
const OF_TASK: BatchingVerdict = { batchable: false, reason: 'a task computes whole requests' };
const POSTPONED: BatchingVerdict = {
  batchable: false,
  reason: 'not proven yet: the proof follows the start of the node',
};
/** Attempts to prove a slow model, one per start with twice the time each; the last verdict is final. */
const MAX_PROOFS = 3;
/** Time budget of warm-up with larger batches of zeros, milliseconds. */
const WARM_UP_MS = 80;
/**
 * Time limit of one batch of zeros, milliseconds: a large model may be compiled first, and some inputs make native code
 * hang.
 */
const WARM_UP_LIMIT_MS = 30_000;
/** Maximum trials of a version: a first crash may have another cause, such as a kill or lack of memory. */
const MAX_TRIALS = 2;

/**
 * Loads a version in a child process, so that a crash cannot affect the node, warms it up there and proves whether it can be
 * batched.
 * @throws PartituraError with the reason if it cannot be loaded, MODEL_CRASHED if loading it or a run of zeros crashed the
 * process repeatedly
 */
export async function tryVersion(
  isolated: Engine | undefined,
  source: ModelSource,
  options: TrialOptions,
): Promise<Trial> {
  if (!isolated) return unverified('no child process available', undefined);
  for (let trial = 1; ; trial++) {
    try {
      return await tryOnce(isolated, source, options);
    } catch (cause) {
      const error = PartituraError.from(cause);
      const isTransient = error.code === 'INTERNAL' || error.code === 'MODEL_CRASHED';
      if (isTransient && trial < MAX_TRIALS) continue;
      if (error.code !== 'INTERNAL') throw error;
      return unverified(error.message, `trial in a child process failed: ${error.message}`);
    }
  }
}

function unverified(reason: string, problem: string | undefined): Trial {
  const batching = { batchable: false, reason: `not verified: ${reason}` };
  return { batching, verdictKey: undefined, problem, hangs: false, isPostponed: false };
}

async function tryOnce(isolated: Engine, source: ModelSource, options: TrialOptions): Promise<Trial> {
  const { settings, maxBatchRows, warmUpLimitMs = WARM_UP_LIMIT_MS } = options;
  const loaded = await isolated.load(source);
  try {
    const hangs = settings.warmUp !== false && (await warmUp(loaded, [1], [0, warmUpLimitMs]));
    const { verdictKey, batching } = await determineVerdict(loaded, source, options);
    // A proof, of now or earlier, has run batches of all sizes.
    const isProven = verdictKey !== undefined;
    if (settings.warmUp !== false && batching.batchable && !isProven) {
      const sizes = batchSizes(maxBatchRows, bytesPerRow(loaded.signature.inputs)).slice(1);
      await warmUp(loaded, sizes, [WARM_UP_MS, warmUpLimitMs]);
    }
    const problem = hangs ? `a batch of zeros did not finish within ${warmUpLimitMs / 1_000} s` : undefined;
    return { batching, verdictKey, problem, hangs, isPostponed: batching === POSTPONED };
  } finally {
    await loaded.unload();
  }
}

/**
 * Runs batches of zeros. Their time is not measured here, so a budget of 0 does for a single size. A model that rejects zeros may still accept other values.
 * @returns true if a run did not finish in time
 * @throws PartituraError MODEL_CRASHED if zeros crashed the process, MODEL_FAILED if the runtime lacks an operation
 */
async function warmUp(
  loaded: LoadedModel,
  sizes: readonly number[],
  [budgetMs, limitMs]: readonly [number, number],
): Promise<boolean> {
  const { signature } = loaded;
  const startedAt = performance.now();
  const limited = {
    signature,
    run: (inputs: readonly EngineTensor[]) => loaded.run(inputs, limitMs),
  };
  const { problem }: BatchTimes = await timeBatches(limited, sizes, budgetMs);
  if (problem && (problem.code === 'MODEL_CRASHED' || lacksOperation(problem))) throw problem;
  return problem !== undefined && performance.now() - startedAt >= limitMs;
}

/** Determines the verdict: from `model.yaml`, from a stored proof, or by a new proof. */
async function determineVerdict(
  loaded: LoadedModel,
  source: ModelSource,
  { settings, maxBatchRows, verdicts, filesHash, postponesProof, now }: TrialOptions,
): Promise<Pick<Trial, 'batching' | 'verdictKey'>> {
  if (formatNamed(source.format).isCode) return { batching: OF_TASK, verdictKey: undefined };
  const configured = verdictOfSettings(loaded, settings);
  if (configured) return { batching: configured, verdictKey: undefined };
  const key = filesHash === undefined ? undefined : verdictKeyOf(loaded, filesHash, maxBatchRows);
  const known = key && (await verdicts.get(key));
  if (known && isFinal(known)) return { batching: verdictOf(known), verdictKey: key };
  if (loaded.loadMs < SLOW_LOAD_MS && postponesProof?.() === true)
    return { batching: POSTPONED, verdictKey: undefined };
  const tries = known?.tries ?? 0;
  const proven = await proveBatching(loaded, {
    maxBatchRows,
    source,
    patience: 2 ** tries,
    ...(now && { now }),
  });
  const kept =
    proven.finality !== 'transient' && key && (await verdicts.store(key, toRemember(proven, tries)));
  return { batching: verdictOf(kept || proven), verdictKey: key };
}

/**
 * Builds the verdict to store. A proof cut short by time is repeated with twice the time at the next starts, up to a limit.
 */
function toRemember({ batchable, reason, finality }: ProvenVerdict, tries: number): CachedVerdict {
  const isFinal = finality === 'final' || tries + 1 >= MAX_PROOFS;
  return { batchable, reason, tries: isFinal ? undefined : tries + 1 };
}

function verdictOf({ batchable, reason }: BatchingVerdict): BatchingVerdict {
  return { batchable, reason };
}

/** Lists everything a verdict depends on. */
function verdictKeyOf(
  { backend, signatureNames }: LoadedModel,
  filesHash: string,
  maxBatchRows: number,
): string[] {
  const { platform, arch } = process;
  const runtime = `${backend} ${runtimeVersion(backend)} ${platform} ${arch}`;
  const key = [PROOF_REVISION, filesHash, runtime, String(maxBatchRows)];
  return signatureNames ? [...key, signatureNames.loaded] : key;
}

function verdictOfSettings(
  { signature }: LoadedModel,
  { batchable, warmUp: isTried }: ModelSettings,
): BatchingVerdict | undefined {
  if (batchable === false) return { batchable, reason: 'model.yaml sets batchable: false' };
  const obstacle = obstacleToBatching(signature);
  if (obstacle !== undefined) return { batchable: false, reason: obstacle };
  if (batchable === true) return { batchable, reason: 'model.yaml sets batchable: true' };
  if (isTried === false)
    return {
      batchable: false,
      reason: 'not verified: model.yaml sets warmUp: false without batchable: true',
    };
  return undefined;
}
