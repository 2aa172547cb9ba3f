import { PartituraError } from '../../schemas/errors.js';
import type { Engine, EngineTensor, LoadedModel, ModelSource } from '../engine/engine.js';
import { lacksOperation } from '../engine/model-errors.js';
import { runtimeVersion } from '../engine/runtime-version.js';
import { proveBatching, type ProvenVerdict } from './batch-proof/prove.js';
import { obstacleToBatching, type BatchingVerdict } from './batch-proof/verdict.js';
import { batchSizes, bytesPerRow, timeBatches, type BatchTimes } from './batch-times.js';
import type { ModelSettings } from './settings.js';
import { isFinal, type RememberedVerdict, type VerdictMemory } from './verdict-memory.js';

/** What the trial of a version in a child process has shown. */
export interface Trial {
  readonly batching: BatchingVerdict;
  /** Identifies what the verdict depends on; absent where none was proven. */
  readonly verdictKey: readonly string[] | undefined;
  /** Why it could not be tried, for the log. */
  readonly problem: string | undefined;
  /** True when it did not finish a run of zeros: the node's threads must not be tried with them. */
  readonly hangs: boolean;
}

export interface TrialOptions {
  readonly settings: ModelSettings;
  readonly maxBatchRows: number;
  readonly verdicts: VerdictMemory;
  /** Of the version's files; without it no verdict is remembered. */
  readonly filesHash: string | undefined;
  /** Limit for one batch of zeros, milliseconds. Default 30 s. */
  readonly warmUpLimitMs?: number;
  /** Time as the proof sees it, milliseconds; tests bring their own. */
  readonly now?: () => number;
}

/** Changes with every change of the proof that may change a verdict. */
const PROOF_REVISION = '4';
/** Starts at which a slow model is proven, each with twice the time of the one before; the last verdict is kept. */
const MOST_PROOFS = 3;
/** For warming up with batches of zeros, milliseconds. */
const WARM_UP_MS = 80;
/** For one batch of zeros, milliseconds: a large model may have to be compiled first, and some values keep native code for ever. */
const WARM_UP_LIMIT_MS = 30_000;
/** The first death may have had another cause: somebody ended the process, or memory was short. */
const MOST_TRIALS = 2;

/**
 * Loads a version in a child process, warms it up there and proves whether it can be batched: what kills that must not
 * reach the node.
 * @throws PartituraError with the reason when it cannot be loaded there, MODEL_CRASHED when processes died of its load or
 * of zeros
 */
export async function tryVersion(
  isolated: Engine | undefined,
  source: ModelSource,
  options: TrialOptions,
): Promise<Trial> {
  if (!isolated) return untried('there is no child process to try it in', undefined);
  for (let trial = 1; ; trial++) {
    try {
      return await tryOnce(isolated, source, options);
    } catch (cause) {
      const error = PartituraError.from(cause);
      const isPassing = error.code === 'INTERNAL' || error.code === 'MODEL_CRASHED';
      if (isPassing && trial < MOST_TRIALS) continue;
      if (error.code !== 'INTERNAL') throw error;
      return untried(error.message, `not tried in a child process: ${error.message}`);
    }
  }
}

function untried(reason: string, problem: string | undefined): Trial {
  const batching = { batchable: false, reason: `could not be tried: ${reason}` };
  return { batching, verdictKey: undefined, problem, hangs: false };
}

async function tryOnce(isolated: Engine, source: ModelSource, options: TrialOptions): Promise<Trial> {
  const { settings, maxBatchRows, warmUpLimitMs = WARM_UP_LIMIT_MS } = options;
  const loaded = await isolated.load(source);
  try {
    const hangs = settings.warmUp !== false && (await warmUp(loaded, [1], warmUpLimitMs));
    const { verdictKey, batching, isNew } = await judge(loaded, source, options);
    // A proof has run batches of all sizes already.
    if (settings.warmUp !== false && batching.batchable && !isNew)
      await warmUp(
        loaded,
        batchSizes(maxBatchRows, bytesPerRow(loaded.signature.inputs)).slice(1),
        warmUpLimitMs,
      );
    const problem = hangs ? `a batch of zeros did not finish within ${warmUpLimitMs / 1_000} s` : undefined;
    return { batching, verdictKey, problem, hangs };
  } finally {
    await loaded.unload();
  }
}

/**
 * @returns true when zeros were not computed in time
 * @throws PartituraError MODEL_CRASHED when the process died of zeros, MODEL_FAILED when the runtime lacks an operation; a
 * model that refuses zeros may take other values
 */
async function warmUp(loaded: LoadedModel, sizes: readonly number[], limitMs: number): Promise<boolean> {
  const { signature } = loaded;
  const begun = performance.now();
  const limited = {
    signature,
    run: (inputs: readonly EngineTensor[]) => loaded.run(inputs, limitMs),
  };
  const { problem }: BatchTimes = await timeBatches(limited, sizes, WARM_UP_MS);
  if (problem && (problem.code === 'MODEL_CRASHED' || lacksOperation(problem))) throw problem;
  return problem !== undefined && performance.now() - begun >= limitMs;
}

/** A verdict, and whether it was proven just now. */
type Judged = Pick<Trial, 'batching' | 'verdictKey'> & { readonly isNew: boolean };

/** What `model.yaml` says counts first, then what was proven before. */
async function judge(
  loaded: LoadedModel,
  source: ModelSource,
  { settings, maxBatchRows, verdicts, filesHash, now }: TrialOptions,
): Promise<Judged> {
  const said = verdictOfSettings(loaded, settings);
  if (said) return { batching: said, verdictKey: undefined, isNew: false };
  const key = filesHash === undefined ? undefined : verdictKeyOf(loaded, filesHash, maxBatchRows);
  const known = key && (await verdicts.recall(key));
  if (known && isFinal(known)) return { batching: verdictOf(known), verdictKey: key, isNew: false };
  const tries = known?.tries ?? 0;
  const proven = await proveBatching(loaded, {
    maxBatchRows,
    source,
    patience: 2 ** tries,
    ...(now && { now }),
  });
  const kept =
    proven.standing !== 'passing' && key && (await verdicts.remember(key, toRemember(proven, tries)));
  return { batching: verdictOf(kept || proven), verdictKey: key, isNew: true };
}

/** A proof that time has cut short is repeated at the next start with twice the time, but not for ever. */
function toRemember({ batchable, reason, standing }: ProvenVerdict, tries: number): RememberedVerdict {
  const isFinal = standing === 'final' || tries + 1 >= MOST_PROOFS;
  return { batchable, reason, tries: isFinal ? undefined : tries + 1 };
}

function verdictOf({ batchable, reason }: BatchingVerdict): BatchingVerdict {
  return { batchable, reason };
}

/** Lists all that a verdict depends on. */
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
  if (batchable === false) return { batchable, reason: 'model.yaml says batchable: false' };
  const obstacle = obstacleToBatching(signature);
  if (obstacle !== undefined) return { batchable: false, reason: obstacle };
  if (batchable === true) return { batchable, reason: 'model.yaml says batchable: true' };
  if (isTried === false)
    return {
      batchable: false,
      reason: 'could not be tried: model.yaml says warmUp: false and not batchable: true',
    };
  return undefined;
}
