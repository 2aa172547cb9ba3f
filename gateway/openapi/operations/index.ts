import type { Operation } from '../operation.js';
import { CONTROL, GATEWAY } from './cluster.js';
import { CONSOLE } from './console.js';
import { JOB_OPERATIONS } from './jobs.js';
import { OPEN_INFERENCE } from './open-inference.js';
import { TENSORFLOW_SERVING } from './tensorflow-serving.js';
import { WATSON } from './watson.js';

/** All operations of the REST APIs. */
export const OPERATIONS: readonly Operation[] = [
  ...OPEN_INFERENCE,
  ...TENSORFLOW_SERVING,
  ...WATSON,
  ...JOB_OPERATIONS,
  ...CONTROL,
  ...GATEWAY,
  ...CONSOLE,
];
