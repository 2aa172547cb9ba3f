import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { DirectiveOutcome } from '../../operations/control/outcome.js';
import type { CommandOptions } from '../../operations/control/cluster-control.js';
import { ANYBODY } from '../auth/identity.js';
import { bodyOf } from '../http/body-of.js';
import { readBody } from '../json/read-body.js';
import { checked } from '../openapi/checked.js';
import { Labels, VersionPolicy } from '../openapi/schemas/cluster.js';
import type { GatewayServices } from '../dialects/rest-dialect.js';

/** Time that a command waits for the nodes, milliseconds. */
const WAIT_MS = 60_000;

type Named = FastifyRequest<{ Params: { readonly name: string } }>;

/**
 * Adds the control of the cluster: load, unload, version policy, labels and drain. Each answers with what became of the
 * directive on every live node, with 200 if all complied and 409 otherwise.
 */
export function addControlRoutes(app: FastifyInstance, { control, directives }: GatewayServices): void {
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.method !== 'GET') request.identity.requireControl();
    done();
  });
  app.get('/api/directives', ({ identity }) => ({
    directives: directives.all().filter(({ kind, name }) => kind === 'node' || identity.mayUse(name)),
  }));
  app.post('/api/models/:name/load', async (request: Named, reply) =>
    answer(reply, await control.load(request.params.name, optionsFrom(request))),
  );
  app.post('/api/models/:name/unload', async (request: Named, reply) =>
    answer(reply, await control.unload(request.params.name, optionsFrom(request))),
  );
  app.put('/api/models/:name/labels', async (request: Named, reply) => {
    const change = { labels: checked(Labels, await readBody(bodyOf(request)), 'labels') };
    return answer(reply, await control.configure(request.params.name, change, optionsFrom(request)));
  });
  app.put('/api/models/:name/version-policy', async (request: Named, reply) => {
    const change = checked(VersionPolicy, await readBody(bodyOf(request)), 'version policy');
    return answer(reply, await control.configure(request.params.name, change, optionsFrom(request)));
  });
  for (const [action, drained] of [
    ['drain', true],
    ['undrain', false],
  ] as const)
    app.post(`/api/nodes/:name/${action}`, async (request: Named, reply) =>
      answer(reply, await control.drain(request.params.name, drained, optionsFrom(request))),
    );
}

function answer(
  reply: { code(status: number): { send(body: object): unknown } },
  outcome: DirectiveOutcome,
): unknown {
  const complied = outcome.settled && outcome.nodes.every(({ ok }) => ok);
  return reply.code(complied ? 200 : 409).send(outcome);
}

/** Names who asks: the owner of the credential, with what the header `X-Requested-By` adds. */
function optionsFrom({ identity, headers, ip }: Named): CommandOptions {
  const { 'x-requested-by': by } = headers;
  const who = identity === ANYBODY ? ip : identity.name;
  return { requestedBy: typeof by === 'string' ? `${by.slice(0, 200)} (${who})` : who, limitMs: WAIT_MS };
}
