import type { PartituraError } from '../../schemas/errors.js';
import type { Datatype } from '../../schemas/datatypes.js';

/**
 * One input or output of a model as its signature declares it; -1 is an unknown dimension. An empty shape is that of a
 * scalar, or of a tensor of undeclared rank: the runtimes do not distinguish the two.
 */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Dimension names, with empty strings for unnamed dimensions; absent if the model names none. */
  readonly dimensionNames?: readonly string[];
  /** Class names of a classifier's output `[N, classes]`, if the model declares them. */
  readonly labels?: readonly string[];
}

/** Inputs and outputs of a model, read from the model itself. */
export interface ModelSignature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/**
 * A tensor on its way into or out of the engine: little-endian, row-major bytes; each BYTES element is prefixed with its
 * 4-byte little-endian length. `data` owns its whole ArrayBuffer (offset 0), because the buffer is transferred to the
 * engine thread: the caller of `run` must not use it afterwards.
 */
export interface EngineTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Name of a model format in the table of `formats.ts`; it selects the runtime. */
export type ModelFormat = string;

/** Name of the runtime that computes a model, as its format's definition has it: `tensorflow`, `wasm`, `onnxruntime`. */
export type Backend = string;

export interface ModelSource {
  readonly model: string;
  readonly version: string;
  /** Folder that contains the file of the format. */
  readonly directory: string;
  readonly format: ModelFormat;
  /** Cores that one operation may use; configurable per model for ONNX only. Default: the thread's share. */
  readonly cores?: number;
  /** SavedModel signature to load. Default: `serving_default`, or the only one. */
  readonly signature?: string;
}

/** Signature names of a SavedModel; models in other formats have one unnamed signature. */
export interface SignatureNames {
  readonly loaded: string;
  /** Sorted; includes the loaded one. */
  readonly all: readonly string[];
}

/** A model loaded into the engine. */
export interface LoadedModel {
  readonly signature: ModelSignature;
  readonly backend: Backend;
  /** Reason for the fallback from TensorFlow to WebAssembly. */
  readonly fallbackReason?: string;
  /** Cores that one operation may use; absent if that is not configurable per model. */
  readonly cores?: number;
  /** Absent if signatures have no names. */
  readonly signatureNames?: SignatureNames;
  /** Load time in milliseconds, excluding the start of the runtime. */
  readonly loadMs: number;
  /**
   * Runs one batch. Inputs are already validated against the signature; their buffers are transferred.
   * @param limitMs time limit of this run instead of the engine's; only for child processes, which are then killed
   * @returns outputs in signature order, each owning its buffer
   * @throws PartituraError MODEL_FAILED if the model rejects the inputs or crashes
   */
  run(inputs: readonly EngineTensor[], limitMs?: number): Promise<EngineResult>;
  /**
   * Runs batches one after another in a single message; only for child processes, where a message takes longer than a small
   * run. Buffers and limit are those of `run`, for all batches together.
   * @returns the result or the error of each batch
   * @throws PartituraError for all batches if the process is lost: MODEL_CRASHED if one of them crashed it
   */
  runEach?(
    batches: readonly (readonly EngineTensor[])[],
    limitMs: number,
  ): Promise<readonly (EngineResult | PartituraError)[]>;
  /** True if it runs on the event loop instead of a worker thread. */
  readonly isInline: boolean;
  /** Number of threads it is loaded into. */
  readonly threads: number;
  /**
   * Loads it into all threads, for models too slow for the event loop.
   * @throws PartituraError if a thread cannot load it; the model then stays in one thread
   */
  replicateToAllThreads(): Promise<void>;
  /** Unloads it from all threads but one. */
  shrinkToOneThread(): Promise<void>;
  /**
   * Loads it into the main thread as well and runs it on the event loop, for models whose longest batch is known to be
   * short. A model that proves slow is moved back to its worker thread automatically.
   * @throws PartituraError if it cannot be loaded there; the model then stays in its worker thread
   */
  moveInline(): Promise<void>;
  /** Frees the model once runs in flight have finished; later calls of `run` are rejected. */
  unload(): Promise<void>;
}

export interface EngineResult {
  readonly outputs: readonly EngineTensor[];
  /** Compute time in the engine thread, microseconds. */
  readonly computeMicros: number;
}

/** Loads models and runs them on worker threads, off the event loop. */
export interface Engine {
  /**
   * Loads a model into one thread.
   * @throws PartituraError MODEL_FAILED with the reason and a remedy if the model cannot be served
   */
  load(source: ModelSource): Promise<LoadedModel>;
  /** Number of threads that models can be replicated to. */
  readonly threads: number;
  /**
   * Core counts to try for a model whose cores are configurable, in descending order; `load` uses the first by default.
   * A single one if the configuration sets it.
   */
  readonly coreChoices: readonly number[];
  /** Engine in a child process, for models that may crash. Absent if no native runtime is used. */
  readonly isolated?: Engine;
  close(): Promise<void>;
}
