import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { readBody } from '../../json/read-body.js';
import { checked } from '../../openapi/checked.js';
import {
  RepositoryIndexRequest,
  RepositoryLoadRequest,
  RepositoryUnloadRequest,
} from '../../openapi/schemas/open-inference.js';
import { COMMAND, complied, refuseParameters } from '../../open-inference/repository-control.js';
import { repositoryIndex } from '../../open-inference/repository-index.js';
import { refuseSharedMemory } from '../../open-inference/unsupported.js';
import type { GatewayServices } from '../rest-dialect.js';

type ModelRequest = FastifyRequest<{ Params: { readonly model: string } }>;

const SHARED_MEMORY = ['systemsharedmemory', 'cudasharedmemory', 'tpusharedmemory'];

/** Adds the model repository, and a refusal of shared memory. */
export function addRepositoryRoutes(app: FastifyInstance, { models, control }: GatewayServices): void {
  app.post('/v2/repository/index', async ({ body, identity }: FastifyRequest) =>
    repositoryIndex(
      models.visibleTo(identity),
      (await readOptions(body, RepositoryIndexRequest)).ready === true,
    ),
  );
  app.post('/v2/repository/models/:model/load', async ({ params, body, identity }: ModelRequest) => {
    identity.requireControl();
    refuseParameters((await readOptions(body, RepositoryLoadRequest)).parameters ?? {});
    const outcome = await control.load(params.model, COMMAND);
    return complied(outcome, `failed to load '${params.model}'`);
  });
  app.post('/v2/repository/models/:model/unload', async ({ params, body, identity }: ModelRequest) => {
    identity.requireControl();
    await readOptions(body, RepositoryUnloadRequest);
    const outcome = await control.unload(params.model, COMMAND);
    return complied(outcome, `failed to unload '${params.model}'`);
  });
  for (const kind of SHARED_MEMORY)
    app.all(`/v2/${kind}/*`, () => {
      throw refuseSharedMemory(kind);
    });
}

/** Reads the body of a request, which may be empty. @throws PartituraError that names the field */
async function readOptions<T extends z.ZodType>(body: unknown, schema: T): Promise<z.output<T>> {
  const isEmpty = !Buffer.isBuffer(body) || body.length === 0;
  return checked(schema, isEmpty ? {} : await readBody(body), 'the body');
}
