import { availableParallelism } from 'node:os';
import { engineThreadsFor } from '../../core/engine-threads.js';
import { PartituraError } from '../../schemas/errors.js';

/**
 * What computes TensorFlow's formats: `auto` takes its native library where it is installed and WebAssembly
 * where it is not. ONNX models are ONNX Runtime's in any case.
 */
export type BackendChoice = 'auto' | 'tensorflow' | 'wasm';

export interface EngineOptions {
  /** Worker threads; models that gain by it are in all of them. 0: as many as there are cores, at most 4. Default 0. */
  readonly threads?: number;
  /** Default `auto`. */
  readonly backend?: BackendChoice;
  /**
   * Cores that one operation may use; 0: a thread's share of them. For TensorFlow it counts for the whole process and
   * only before its first model. Default 0.
   */
  readonly intraOpThreads?: number;
  /** Limit for starting a thread. Default 60 s. */
  readonly startTimeoutMs?: number;
  /** Limit for loading or unloading one model in one thread. Default 60 s. */
  readonly loadTimeoutMs?: number;
  /** Limit for computing one batch; the thread of one that takes longer is replaced. Default 60 s. */
  readonly runTimeoutMs?: number;
  /** Limit for ending all threads in `close`. Default 5 s. */
  readonly closeTimeoutMs?: number;
  /** Told when a thread is lost or can't be replaced; the engine goes on by itself. Default: nobody. */
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

/** @throws PartituraError INVALID_REQUEST that names the option */
export function completeOptions(options: EngineOptions): Required<EngineOptions> {
  const complete = { ...DEFAULTS, ...options };
  requireWhole('threads', complete.threads, 0);
  requireWhole('intraOpThreads', complete.intraOpThreads, 0);
  complete.threads ||= engineThreadsFor(availableParallelism());
  for (const limit of ['startTimeoutMs', 'loadTimeoutMs', 'runTimeoutMs', 'closeTimeoutMs'] as const) {
    requireWhole(limit, complete[limit], 1);
  }
  return complete;
}

function requireWhole(option: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new PartituraError(
    'INVALID_REQUEST',
    `engine option '${option}': expected a whole number from ${least}, got ${value}`,
  );
}

/** Numbers of cores that one operation of an ONNX model may use, the most first: what is said, else a thread's share or 1. */
export function coreChoices({
  intraOpThreads,
  threads,
}: Required<EngineOptions>): readonly [number, ...number[]] {
  if (intraOpThreads > 0) return [intraOpThreads];
  const share = Math.floor(availableParallelism() / threads);
  return share > 1 ? [share, 1] : [1];
}
