import type { FastifyInstance, FastifyRequest } from 'fastify';
import { object } from '../../../schemas/framing/oip-json.js';
import { readBody } from '../../json/read-body.js';
import { COMMAND, complied, refuseParameters } from '../../open-inference/repository-control.js';
import { repositoryIndex } from '../../open-inference/repository-index.js';
import { refuseSharedMemory } from '../../open-inference/unsupported.js';
import type { GatewayServices } from '../rest-dialect.js';

type ModelRequest = FastifyRequest<{ Params: { readonly model: string } }>;

const SHARED_MEMORY = ['systemsharedmemory', 'cudasharedmemory', 'tpusharedmemory'];

/** Adds the model repository, and a refusal of shared memory. */
export function addRepositoryRoutes(app: FastifyInstance, { models, control }: GatewayServices): void {
  app.post('/v2/repository/index', async ({ body }: FastifyRequest) =>
    repositoryIndex(models, (await readOptions(body)).ready === true),
  );
  app.post('/v2/repository/models/:model/load', async ({ params, body, identity }: ModelRequest) => {
    identity.requireControl();
    refuseParameters((await readOptions(body)).parameters ?? {});
    const outcome = await control.load(params.model, COMMAND);
    return complied(outcome, `failed to load '${params.model}'`);
  });
  app.post('/v2/repository/models/:model/unload', async ({ params, identity }: ModelRequest) => {
    identity.requireControl();
    const outcome = await control.unload(params.model, COMMAND);
    return complied(outcome, `failed to unload '${params.model}'`);
  });
  for (const kind of SHARED_MEMORY)
    app.all(`/v2/${kind}/*`, () => {
      throw refuseSharedMemory(kind);
    });
}

interface RepositoryOptions {
  readonly ready?: unknown;
  readonly parameters?: Readonly<Record<string, unknown>> | null;
}

/** Reads the body of a request, which may be empty. @throws PartituraError if it is not an object */
async function readOptions(body: unknown): Promise<RepositoryOptions> {
  if (!Buffer.isBuffer(body) || body.length === 0) return {};
  return object(await readBody(body), 'the body');
}
