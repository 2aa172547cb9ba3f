import type { FastifyInstance } from 'fastify';
import { addBulkRoutes } from '../../bulk/routes.js';
import { addDeferredRoutes } from '../../deferred/routes.js';
import type { Problem } from '../../inference/problem.js';
import type { GatewayServices, RestDialect } from '../rest-dialect.js';
import { addInferRoutes } from './infer-routes.js';
import { addMetadataRoutes } from './metadata-routes.js';
import { addRepositoryRoutes } from './repository-routes.js';

/**
 * Open Inference Protocol v2 over REST, with the binary tensor extension.
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 */
export const openInference: RestDialect = {
  name: 'open-inference',

  errorBody: ({ message }: Problem) => ({ error: message }),

  addRoutes(app: FastifyInstance, services: GatewayServices): void {
    addMetadataRoutes(app, services);
    addInferRoutes(app, services);
    addRepositoryRoutes(app, services);
    addDeferredRoutes(app, services);
    void app.register((scope, _options, done) => {
      addBulkRoutes(scope, services);
      done();
    });
  },
};
