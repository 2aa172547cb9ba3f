import type { FastifyInstance } from 'fastify';
import type { Problem } from '../../inference/problem.js';
import type { GatewayServices, RestDialect } from '../rest-dialect.js';
import { addModelRoutes } from './model-routes.js';
import { addPredictionRoutes } from './prediction-routes.js';

/**
 * TensorFlow Serving's REST API, version 1. Its error texts are facts that clients compare.
 * https://www.tensorflow.org/tfx/serving/api_rest
 */
export const tensorflowServing: RestDialect = {
  name: 'tensorflow-serving',

  errorBody: ({ message }: Problem) => ({ error: message }),

  addRoutes(app: FastifyInstance, services: GatewayServices): void {
    addPredictionRoutes(app, services);
    addModelRoutes(app, services);
  },
};
