import type { ModelSignature, TensorSpec } from '../../engine/engine.js';

/** Whether requests may share a batch and be cut, and why. */
export interface BatchingVerdict {
  readonly batchable: boolean;
  /** In words, for people. */
  readonly reason: string;
}

const OPEN = -1;

/**
 * Explains why requests cannot be put one below the other at all; undefined where the first dimension is open
 * everywhere. That alone does not make a batch of it: see `proveBatching`.
 */
export function obstacleToBatching({ inputs, outputs }: ModelSignature): string | undefined {
  if (inputs.length === 0) return 'the model has no inputs';
  return obstacleIn(inputs, 'input') ?? obstacleIn(outputs, 'output');
}

function obstacleIn(specs: readonly TensorSpec[], role: string): string | undefined {
  const spec = specs.find(({ shape }) => shape[0] !== OPEN);
  if (!spec) return undefined;
  const { name, shape } = spec;
  return shape.length === 0
    ? `${role} '${name}' declares no dimensions`
    : `the first dimension of ${role} '${name}' is always ${shape[0]}`;
}
