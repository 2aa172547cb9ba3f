import type { FastifyInstance } from 'fastify';
import { FrontError, GRPC_STATUS } from '../inference/problem.js';
import { allowedMethods } from '../openapi/allowed-methods.js';

/** Answers unknown resources of the console, and so also known ones with other methods. */
const CATCH_ALL = '/console/api/*';

/** Refuses a method that a resource does not have with 405 and those that it has. RFC 9110, section 15.5.6 */
export function refuseOtherMethods(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404 && request.routeOptions.url !== CATCH_ALL) return done();
    const allowed = allowedMethods(request.url);
    if (allowed.length === 0) return done();
    void reply.header('allow', allowed.join(', '));
    throw new FrontError(
      { http: 405, grpc: GRPC_STATUS.UNIMPLEMENTED },
      'INVALID_REQUEST',
      `Malformed request: ${request.method} ${request.url}`,
    );
  });
}
