import { createRequire } from 'node:module';
import type * as TensorFlow from '@tensorflow/tfjs-node';

const require = createRequire(import.meta.url);

/** Node 23 removed a helper that tfjs-node still calls. */
export function importTensorFlow(): typeof TensorFlow {
  const util = require('node:util') as { isNullOrUndefined?: (value: unknown) => boolean };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  return require('@tensorflow/tfjs-node') as typeof TensorFlow;
}
