import { openInference } from './open-inference/index.js';
import type { RestDialect } from './rest-dialect.js';
import { tensorflowServing } from './tensorflow-serving/index.js';
import { watson } from './watson/index.js';

/** REST dialects of the gateway. A new one is a folder and a line here. */
export const REST_DIALECTS: readonly RestDialect[] = [openInference, tensorflowServing, watson];
