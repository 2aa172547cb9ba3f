import type { ModelSignature } from '../../engine/engine.js';

/** The decision if requests may share a batch and be split, with the reason. */
export interface BatchingVerdict {
  readonly batchable: boolean;
  /** Human-readable reason. */
  readonly reason: string;
}

/**
 * Finality of a verdict: `final` if it depends on the model alone; `cut-short` if the proof ran out of time, so that more
 * time may change it; `transient` if the environment caused it.
 */
export type Finality = 'final' | 'cut-short' | 'transient';

const OPEN = -1;

/**
 * Returns the reason why requests cannot be merged at all; undefined if the first dimension of every input is open, which
 * alone does not prove that rows are independent: see `proveBatching`. Output shapes are ignored: LightGBM converters
 * declare one row where there are as many as in the input.
 */
export function obstacleToBatching({ inputs }: Pick<ModelSignature, 'inputs'>): string | undefined {
  if (inputs.length === 0) return 'the model has no inputs';
  const spec = inputs.find(({ shape }) => shape[0] !== OPEN);
  if (!spec) return undefined;
  const { name, shape } = spec;
  return shape.length === 0
    ? `input '${name}' declares no dimensions`
    : `the first dimension of input '${name}' is fixed at ${shape[0]}`;
}
