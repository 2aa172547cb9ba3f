import type { ErrorCode } from '../../../schemas/errors.js';
import type { BackendChoice } from '../options.js';
import type { ModelFormat, ModelSignature } from '../engine.js';

/**
 * What passes between the event loop and an engine's thread. A thread answers every question once and in
 * the order of the questions, so neither side needs numbers to match them. Tensors travel without names:
 * both sides know the order of the signature.
 */
export type Question =
  | { readonly kind: 'load'; readonly key: number; readonly directory: string; readonly format: ModelFormat }
  | { readonly kind: 'unload'; readonly key: number }
  | ({ readonly kind: 'run'; readonly key: number } & Tensors);

export type Answer =
  | { readonly kind: 'started'; readonly backend: Backend; readonly fallbackReason?: string }
  | { readonly kind: 'loaded'; readonly signature: ModelSignature }
  | { readonly kind: 'unloaded' }
  | ({ readonly kind: 'result'; readonly computeMicros: number } & Tensors)
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** Shapes and bytes in the order of the signature; the buffers are transferred, never copied. */
export interface Tensors {
  readonly shapes: readonly (readonly number[])[];
  readonly buffers: readonly ArrayBuffer[];
}

/** What computes in the end. */
export type Backend = 'tensorflow' | 'wasm';

export interface ThreadData {
  readonly backend: BackendChoice;
}
