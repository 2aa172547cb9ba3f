import type { ErrorCode } from '../../../schemas/errors.js';
import type { BackendChoice } from '../options.js';
import type { Backend, ModelFormat, ModelSignature, SignatureNames } from '../engine.js';

/**
 * Messages from the main thread to an engine thread. A thread answers every request exactly once and in order, so no
 * correlation ids are needed. Tensors are sent without names: both sides know the signature's order.
 */
export type EngineRequest =
  | {
      readonly kind: 'load';
      readonly key: number;
      readonly directory: string;
      readonly format: ModelFormat;
      /** Cores that one operation may use, if that is configurable per model. */
      readonly cores: number;
      /** SavedModel signature; the default one if absent. */
      readonly signature?: string;
    }
  | { readonly kind: 'unload'; readonly key: number }
  | ({ readonly kind: 'run'; readonly key: number } & Tensors)
  | { readonly kind: 'run-each'; readonly key: number; readonly batches: readonly Tensors[] };

export type EngineResponse =
  | { readonly kind: 'started' }
  | ({ readonly kind: 'loaded' } & LoadedFacts)
  | { readonly kind: 'unloaded' }
  | BatchOutcome
  | { readonly kind: 'results'; readonly outcomes: readonly BatchOutcome[] };

/** The outcome of one batch; `failed` is also the response to other requests that fail. */
export type BatchOutcome =
  | ({ readonly kind: 'result'; readonly computeMicros: number } & Tensors)
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** Shapes and bytes in signature order; the buffers are transferred, never copied. */
export interface Tensors {
  readonly shapes: readonly (readonly number[])[];
  readonly buffers: readonly ArrayBuffer[];
}

/** Properties of a model that a thread has loaded. */
export interface LoadedFacts {
  readonly signature: ModelSignature;
  readonly backend: Backend;
  /** Reason for the fallback from TensorFlow to WebAssembly. */
  readonly fallbackReason?: string;
  /** Cores that one operation may use; absent if the process decides. */
  readonly cores?: number;
  /** Absent if signatures have no names. */
  readonly signatureNames?: SignatureNames;
  /** Excludes the start of the runtime. */
  readonly loadMs: number;
}

export interface ThreadData {
  readonly backend: BackendChoice;
  /** Memory of the `CallGuard`. */
  readonly guard: Int32Array<SharedArrayBuffer>;
}
