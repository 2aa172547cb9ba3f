import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { DirectiveOutcome } from '../../operations/control/outcome.js';
import type { CommandOptions } from '../../operations/control/cluster-control.js';
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
  app.get('/api/directives', () => ({ directives: directives.all() }));
  app.post('/api/models/:name/load', async ({ params, headers, ip }: Named, reply) =>
    answer(reply, await control.load(params.name, optionsFrom(headers, ip))),
  );
  app.post('/api/models/:name/unload', async ({ params, headers, ip }: Named, reply) =>
    answer(reply, await control.unload(params.name, optionsFrom(headers, ip))),
  );
  app.put('/api/models/:name/labels', async ({ params, headers, ip, body }: Named, reply) => {
    const change = { labels: checked(Labels, await bodyOf(body), 'labels') };
    return answer(reply, await control.configure(params.name, change, optionsFrom(headers, ip)));
  });
  app.put('/api/models/:name/version-policy', async ({ params, headers, ip, body }: Named, reply) => {
    const change = checked(VersionPolicy, await bodyOf(body), 'version policy');
    return answer(reply, await control.configure(params.name, change, optionsFrom(headers, ip)));
  });
  for (const [action, drained] of [
    ['drain', true],
    ['undrain', false],
  ] as const)
    app.post(`/api/nodes/:name/${action}`, async ({ params, headers, ip }: Named, reply) =>
      answer(reply, await control.drain(params.name, drained, optionsFrom(headers, ip))),
    );
}

function answer(
  reply: { code(status: number): { send(body: object): unknown } },
  outcome: DirectiveOutcome,
): unknown {
  const complied = outcome.settled && outcome.nodes.every(({ ok }) => ok);
  return reply.code(complied ? 200 : 409).send(outcome);
}

/** Names who asks: by the header `X-Requested-By`, otherwise by address. */
function optionsFrom(headers: Named['headers'], ip: string): CommandOptions {
  const { 'x-requested-by': by } = headers;
  return { requestedBy: typeof by === 'string' ? by.slice(0, 200) : `gateway, from ${ip}`, limitMs: WAIT_MS };
}

function bodyOf(body: unknown): Promise<unknown> {
  return readBody(Buffer.isBuffer(body) ? body : Buffer.alloc(0));
}
