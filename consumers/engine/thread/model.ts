import type { LoadedFacts, Tensors } from './messages.js';

/** A model inside an engine's thread. */
export interface ThreadModel extends Omit<LoadedFacts, 'loadMs'> {
  /** Inputs in the order of the signature; outputs likewise, each buffer exactly as long as its tensor. */
  run(inputs: Tensors): Tensors | Promise<Tensors>;
  dispose(): void;
}
