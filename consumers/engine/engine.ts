import type { Datatype } from '../../schemas/datatypes.js';

/**
 * One input or output of a model as its signature declares it; -1 is an unknown dimension. An empty shape is that of a
 * scalar, or of a tensor whose number of dimensions is not declared: the runtimes do not tell one from the other.
 */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Names of the dimensions, empty where one has none; absent where the model names no dimension. */
  readonly dimensionNames?: readonly string[];
  /** Names of the columns, of an output `[N, classes]` of a classifier that names its classes. */
  readonly labels?: readonly string[];
}

/** What a model takes and gives, read from the model itself. */
export interface ModelSignature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/**
 * A tensor at the engine's door: little-endian, row-major bytes; BYTES elements each preceded by a
 * 4-byte little-endian length. `data` owns its whole ArrayBuffer (offset 0), because it is transferred
 * to the engine's thread: whoever passes it to `run` must not touch it afterwards.
 */
export interface EngineTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Which artefact a version folder holds; it decides which engine serves. */
export type ModelFormat = 'saved_model' | 'graph_model' | 'layers_model' | 'onnx';

/** What computes a model. */
export type Backend = 'tensorflow' | 'wasm' | 'onnxruntime';

export interface ModelSource {
  readonly model: string;
  readonly version: string;
  /** Folder that holds `saved_model.pb`, `model.json` or `model.onnx`. */
  readonly directory: string;
  readonly format: ModelFormat;
  /** Cores that one operation may use; only ONNX models have cores of their own. Default: the thread's share. */
  readonly cores?: number;
  /** Signature of a SavedModel to load. Default: `serving_default`, or the only one. */
  readonly signature?: string;
}

/** Names of a SavedModel's signatures; models of other formats have one signature, without a name. */
export interface SignatureNames {
  readonly loaded: string;
  /** Sorted; the loaded one among them. */
  readonly all: readonly string[];
}

/** A model that lives in an engine thread. */
export interface LoadedModel {
  readonly signature: ModelSignature;
  readonly backend: Backend;
  /** Why WebAssembly computes although TensorFlow was preferred. */
  readonly fallbackReason?: string;
  /** Cores that one operation may use, where that can be chosen for each model. */
  readonly cores?: number;
  /** Absent where signatures have no names. */
  readonly signatureNames?: SignatureNames;
  /** How long it took to load, milliseconds; what computes it may have had to be started before that. */
  readonly loadMs: number;
  /**
   * Runs one batch. Inputs are already validated against the signature; their buffers are given away.
   * @param limitMs for this run instead of the engine's own limit, where it runs in a child process, which then ends
   * @returns outputs in the order of the signature, each owning its buffer
   * @throws PartituraError MODEL_FAILED when the model refuses or crashes
   */
  run(inputs: readonly EngineTensor[], limitMs?: number): Promise<EngineResult>;
  /** Whether it runs in the event loop instead of a thread. */
  readonly isInline: boolean;
  /** Threads that hold it. */
  readonly threads: number;
  /**
   * Loads it into all threads: for a model that needs a thread, and with more of them does more.
   * @throws PartituraError when one can't load it; it stays where it is
   */
  replicateToAllThreads(): Promise<void>;
  /** Takes it back to one thread. */
  shrinkToOneThread(): Promise<void>;
  /**
   * Loads it into the event loop as well, where it runs from then on: for a model whose longest batch is known to be
   * short. One that turns out to be slow goes back to its thread by itself.
   * @throws PartituraError when it can't be loaded there; it stays where it is
   */
  moveInline(): Promise<void>;
  /** Frees the model; runs under way finish first, later calls of `run` are refused. */
  unload(): Promise<void>;
}

export interface EngineResult {
  readonly outputs: readonly EngineTensor[];
  /** Time in the engine's thread, microseconds. */
  readonly computeMicros: number;
}

/** A place where models run, apart from the event loop. */
export interface Engine {
  /**
   * Loads a model into one thread.
   * @throws PartituraError MODEL_FAILED with the reason and the way out when the model can't be served
   */
  load(source: ModelSource): Promise<LoadedModel>;
  /** Threads that models can be spread over. */
  readonly threads: number;
  /**
   * Numbers of cores worth trying for a model that has cores of its own, beginning with the most, which `load`
   * takes by itself; only one where configuration says it.
   */
  readonly coreChoices: readonly number[];
  /** The same in a child process, for what may crash. Absent where nothing native computes. */
  readonly isolated?: Engine;
  close(): Promise<void>;
}
