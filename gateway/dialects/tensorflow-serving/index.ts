import type { FastifyInstance } from 'fastify';
import type { Problem } from '../../inference/problem.js';
import type { RestDialect } from '../rest-dialect.js';

/** TensorFlow Serving's REST API, version 1. https://www.tensorflow.org/tfx/serving/api_rest */
export const tensorflowServing: RestDialect = {
  name: 'tensorflow-serving',

  errorBody: ({ message }: Problem) => ({ error: message }),

  addRoutes(_app: FastifyInstance): void {},
};
