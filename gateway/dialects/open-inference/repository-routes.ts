import type { FastifyInstance, FastifyRequest } from 'fastify';
import { COMMAND, complied } from '../../open-inference/repository-control.js';
import { repositoryIndex } from '../../open-inference/repository-index.js';
import { refuseSharedMemory } from '../../open-inference/unsupported.js';
import type { GatewayServices } from '../rest-dialect.js';

type ModelRequest = FastifyRequest<{ Params: { readonly model: string } }>;

const SHARED_MEMORY = ['systemsharedmemory', 'cudasharedmemory', 'tpusharedmemory'];

/** Adds the model repository, and a refusal of shared memory. */
export function addRepositoryRoutes(app: FastifyInstance, { models, control }: GatewayServices): void {
  app.post('/v2/repository/index', (request: FastifyRequest) => {
    const { ready } = readIndexRequest(request.body);
    return repositoryIndex(models, ready === true);
  });
  app.post('/v2/repository/models/:model/load', async ({ params }: ModelRequest) => {
    const outcome = await control.load(params.model, COMMAND);
    return complied(outcome, `failed to load '${params.model}'`);
  });
  app.post('/v2/repository/models/:model/unload', async ({ params }: ModelRequest) => {
    const outcome = await control.unload(params.model, COMMAND);
    return complied(outcome, `failed to unload '${params.model}'`);
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
