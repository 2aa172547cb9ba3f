import { availableParallelism } from 'node:os';
import { engineThreadsFor } from '../../core/engine-threads.js';
import { type PartituraError, invalidRequest } from '../../schemas/errors.js';

/**
 * Runtime of TensorFlow's formats: `auto` uses the native library if it is installed and WebAssembly otherwise. ONNX models
 * always run on ONNX Runtime.
 */
export type BackendChoice = 'auto' | 'tensorflow' | 'wasm';

export interface EngineOptions {
  /** Worker threads; models that benefit are loaded into all of them. 0: one per core, at most 4. Default 0. */
  readonly threads?: number;
  /** Default `auto`. */
  readonly backend?: BackendChoice;
  /**
   * Cores that one operation may use; 0: a thread's share. For TensorFlow it applies to the whole process and is read when
   * the first model is loaded. Default 0.
   */
  readonly intraOpThreads?: number;
  /** Time limit for starting a thread. Default 60 s. */
  readonly startTimeoutMs?: number;
  /** Time limit for loading or unloading a model in one thread. Default 60 s. */
  readonly loadTimeoutMs?: number;
  /** Time limit for computing one batch; a thread that exceeds it is replaced. Default 60 s. */
  readonly runTimeoutMs?: number;
  /** Time limit for stopping all threads in `close`. Default 5 s. */
  readonly closeTimeoutMs?: number;
  /** Called when a thread is lost or cannot be replaced; the engine keeps retrying. Ignored by default. */
  readonly onError?: (error: PartituraError) => void;
}

const DEFAULTS: Required<EngineOptions> = {
  threads: 0,
  backend: 'auto',
  intraOpThreads: 0,
  startTimeoutMs: 60_000,
  loadTimeoutMs: 60_000,
  runTimeoutMs: 60_000,
  closeTimeoutMs: 5_000,
  onError: () => undefined,
};

/** @throws PartituraError INVALID_REQUEST naming the option */
export function completeOptions(options: EngineOptions): Required<EngineOptions> {
  const complete = { ...DEFAULTS, ...options };
  requireInteger('threads', complete.threads, 0);
  requireInteger('intraOpThreads', complete.intraOpThreads, 0);
  complete.threads ||= engineThreadsFor(availableParallelism());
  for (const limit of ['startTimeoutMs', 'loadTimeoutMs', 'runTimeoutMs', 'closeTimeoutMs'] as const) {
    requireInteger(limit, complete[limit], 1);
  }
  return complete;
}

function requireInteger(option: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw invalidRequest(`engine option '${option}': expected an integer of at least ${least}, got ${value}`);
}

/** Returns the core counts to try for an ONNX model, in descending order: the configured one, or a thread's share and 1. */
export function coreChoices({
  intraOpThreads,
  threads,
}: Required<EngineOptions>): readonly [number, ...number[]] {
  if (intraOpThreads > 0) return [intraOpThreads];
  const share = Math.floor(availableParallelism() / threads);
  return share > 1 ? [share, 1] : [1];
}
