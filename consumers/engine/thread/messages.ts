import type { ErrorCode } from '../../../schemas/errors.js';
import type { BackendChoice } from '../options.js';
import type { Backend, ModelFormat, ModelSignature, SignatureNames } from '../engine.js';

/**
 * What passes between the event loop and an engine's thread. A thread answers every question once and in
 * the order of the questions, so neither side needs numbers to match them. Tensors travel without names:
 * both sides know the order of the signature.
 */
export type EngineRequest =
  | {
      readonly kind: 'load';
      readonly key: number;
      readonly directory: string;
      readonly format: ModelFormat;
      /** That one operation may use, where a model has cores of its own. */
      readonly cores: number;
      /** Signature of a SavedModel; the default one when absent. */
      readonly signature?: string;
    }
  | { readonly kind: 'unload'; readonly key: number }
  | ({ readonly kind: 'run'; readonly key: number } & Tensors);

export type EngineResponse =
  | { readonly kind: 'started' }
  | ({ readonly kind: 'loaded' } & LoadedFacts)
  | { readonly kind: 'unloaded' }
  | ({ readonly kind: 'result'; readonly computeMicros: number } & Tensors)
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** Shapes and bytes in the order of the signature; the buffers are transferred, never copied. */
export interface Tensors {
  readonly shapes: readonly (readonly number[])[];
  readonly buffers: readonly ArrayBuffer[];
}

/** What a thread tells of a model that it has loaded. */
export interface LoadedFacts {
  readonly signature: ModelSignature;
  readonly backend: Backend;
  /** Why WebAssembly computes although TensorFlow was preferred. */
  readonly fallbackReason?: string;
  /** That one operation may use, where that is the model's and not the process's. */
  readonly cores?: number;
  /** Absent where signatures have no names. */
  readonly signatureNames?: SignatureNames;
  /** Without the start of what computes it. */
  readonly loadMs: number;
}

export interface ThreadData {
  readonly backend: BackendChoice;
  /** Memory of the `CallGate`. */
  readonly gate: Int32Array<SharedArrayBuffer>;
}
