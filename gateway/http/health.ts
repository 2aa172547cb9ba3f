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
  { models, metrics, connections }: GatewayServices & HealthParts,
): void {
  app.get('/healthz', () => ({ ok: true }));
  app.get('/readyz', (_request, reply) => {
    const nodes = models.nodes().length;
    const ok = models.isServing && !connections.isDraining;
    return reply.code(ok ? 200 : 503).send({ ok, nodes, models: models.all().map(({ name }) => name) });
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
