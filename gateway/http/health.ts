import type { FastifyInstance } from 'fastify';
import type { GatewayServices } from '../dialects/rest-dialect.js';
import type { Connections } from './connections.js';
import type { GatewayMetrics } from '../metrics.js';

interface HealthParts {
  readonly metrics: GatewayMetrics;
  readonly connections: Connections;
}

/** Adds `/healthz`, `/readyz` and `/metrics`. */
export function addHealthRoutes(
  app: FastifyInstance,
  { models, metrics, connections, authenticator }: GatewayServices & HealthParts,
): void {
  app.get('/healthz', () => ({ ok: true }));
  app.get('/readyz', (_request, reply) => {
    const nodes = models.nodes().length;
    const ok = models.isServing && !connections.isDraining;
    // It needs no credential, so where others do, it names no model.
    const names = authenticator.isRequired ? {} : { models: models.all().map(({ name }) => name) };
    return reply.code(ok ? 200 : 503).send({ ok, nodes, ...names });
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
