import type { LoadedFacts, Tensors } from './messages.js';

/** A model inside an engine thread. */
export interface ThreadModel extends Omit<LoadedFacts, 'loadMs'> {
  /** Runs one batch. Inputs and outputs are in signature order; each output buffer is exactly as long as its tensor. */
  run(inputs: Tensors): Tensors | Promise<Tensors>;
  dispose(): void;
}
