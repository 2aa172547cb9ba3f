import type { ModelSignature } from '../../engine/engine.js';

/** Whether requests may share a batch and be cut, and why. */
export interface BatchingVerdict {
  readonly batchable: boolean;
  /** In words, for people. */
  readonly reason: string;
}

/**
 * The durability of a verdict: `final` where the model decided it; `cut` where time ended the proof, so that more time may
 * say more; `passing` where the machine decided it.
 */
export type Standing = 'final' | 'cut' | 'passing';

const OPEN = -1;

/**
 * Explains why requests cannot be put one below the other at all; undefined where the first dimension of every input is
 * open. That alone does not make a batch of it: see `proveBatching`. What outputs declare does not count: converters of
 * LightGBM declare one row where there are as many as in the input.
 */
export function obstacleToBatching({ inputs }: Pick<ModelSignature, 'inputs'>): string | undefined {
  if (inputs.length === 0) return 'the model has no inputs';
  const spec = inputs.find(({ shape }) => shape[0] !== OPEN);
  if (!spec) return undefined;
  const { name, shape } = spec;
  return shape.length === 0
    ? `input '${name}' declares no dimensions`
    : `the first dimension of input '${name}' is always ${shape[0]}`;
}
