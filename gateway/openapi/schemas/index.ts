import * as cluster from './cluster.js';
import * as console from './console.js';
import * as jobs from './jobs.js';
import * as openInference from './open-inference.js';
import * as tensorflowServing from './tensorflow-serving.js';
import * as watson from './watson.js';

const { BulkQuery: _query, ...bodies } = openInference;

/** Schemas of the bodies of all REST resources, by their names in the OpenAPI document. */
export const BODIES = { ...bodies, ...tensorflowServing, ...watson, ...cluster, ...jobs, ...console };

export type BodyName = keyof typeof BODIES;
