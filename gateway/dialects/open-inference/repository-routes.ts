import type { FastifyInstance, FastifyRequest } from 'fastify';
import { repositoryIndex } from '../../open-inference/repository-index.js';
import { refuseSharedMemory } from '../../open-inference/unsupported.js';
import type { GatewayServices } from '../rest-dialect.js';

const SHARED_MEMORY = ['systemsharedmemory', 'cudasharedmemory', 'tpusharedmemory'];

/** Adds the model repository, and a refusal of shared memory. */
export function addRepositoryRoutes(app: FastifyInstance, { models }: GatewayServices): void {
  app.post('/v2/repository/index', (request: FastifyRequest) => {
    const { ready } = readIndexRequest(request.body);
    return repositoryIndex(models, ready === true);
  });
  for (const kind of SHARED_MEMORY)
    app.all(`/v2/${kind}/*`, () => {
      throw refuseSharedMemory(kind);
    });
}

function readIndexRequest(body: unknown): { readonly ready?: boolean } {
  if (!Buffer.isBuffer(body) || body.length === 0) return {};
  return JSON.parse(body.toString('utf8')) as { ready?: boolean };
}
