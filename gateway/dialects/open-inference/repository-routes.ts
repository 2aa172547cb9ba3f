import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isAvailable } from '../../models/served-models.js';
import { FrontError, GRPC_STATUS } from '../../inference/problem.js';
import type { DirectiveOutcome } from '../../../operations/control/outcome.js';
import { PartituraError } from '../../../schemas/errors.js';
import type { GatewayServices } from '../rest-dialect.js';

type ModelRequest = FastifyRequest<{ Params: { readonly model: string } }>;

/** Time that load and unload wait for the nodes, milliseconds. */
export const COMMAND = { requestedBy: 'the Open Inference Protocol', limitMs: 120_000 };

const SHARED_MEMORY = ['systemsharedmemory', 'cudasharedmemory', 'tpusharedmemory'];

/** Adds the model repository, and a refusal of shared memory. */
export function addRepositoryRoutes(app: FastifyInstance, { models, control }: GatewayServices): void {
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
  app.post('/v2/repository/models/:model/load', async ({ params, identity }: ModelRequest) => {
    identity.requireControl();
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
      throw new FrontError(
        { http: 501, grpc: GRPC_STATUS.UNIMPLEMENTED },
        'INVALID_REQUEST',
        `${kind} is not supported: the gateway and the nodes share no memory; send tensors in the request`,
      );
    });
}

/** Returns an empty answer if all nodes complied. @throws PartituraError that names the others */
export function complied({ settled, nodes }: DirectiveOutcome, problem: string): object {
  const refused = nodes.filter(({ ok }) => !ok).map(({ node, reason }) => `${node}: ${reason}`);
  if (settled && refused.length === 0) return {};
  const reasons = settled ? refused : [...refused, 'other nodes have not answered yet'];
  throw new PartituraError('INVALID_REQUEST', `${problem}: ${reasons.join('; ')}`);
}

function readIndexRequest(body: unknown): { readonly ready?: boolean } {
  if (!Buffer.isBuffer(body) || body.length === 0) return {};
  return JSON.parse(body.toString('utf8')) as { ready?: boolean };
}
