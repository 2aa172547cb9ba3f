import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isAvailable } from '../../models/served-models.js';
import { FrontError, GRPC_STATUS } from '../../inference/problem.js';
import type { GatewayServices } from '../rest-dialect.js';

const SHARED_MEMORY = ['systemsharedmemory', 'cudasharedmemory', 'tpusharedmemory'];

/** Adds the model repository, and a refusal of shared memory. */
export function addRepositoryRoutes(app: FastifyInstance, { models }: GatewayServices): void {
  app.post('/v2/repository/index', (request: FastifyRequest) => {
    const { ready } = readIndexRequest(request.body);
    return models
      .all()
      .flatMap(({ versions }) => versions)
      .filter((version) => !ready || isAvailable(version))
      .map((version) => ({
        name: version.model,
        version: version.version,
        state: isAvailable(version) ? 'READY' : 'UNAVAILABLE',
        reason: version.message,
      }));
  });
  for (const kind of SHARED_MEMORY)
    app.all(`/v2/${kind}/*`, () => {
      throw new FrontError(
        { http: 501, grpc: GRPC_STATUS.UNIMPLEMENTED },
        'INVALID_REQUEST',
        `${kind} is not supported: the gateway and the nodes share no memory; send tensors in the request`,
      );
    });
}

function readIndexRequest(body: unknown): { readonly ready?: boolean } {
  if (!Buffer.isBuffer(body) || body.length === 0) return {};
  return JSON.parse(body.toString('utf8')) as { ready?: boolean };
}
