import type { FastifyInstance } from 'fastify';
import type { GatewayServices } from '../dialects/rest-dialect.js';
import type { GatewayMetrics } from '../metrics.js';

/** Adds `/healthz`, `/readyz` and `/metrics`. */
export function addHealthRoutes(
  app: FastifyInstance,
  { models, metrics }: GatewayServices & { readonly metrics: GatewayMetrics },
): void {
  app.get('/healthz', () => ({ ok: true }));
  app.get('/readyz', (_request, reply) => {
    const nodes = models.nodes().length;
    const ok = models.isServing;
    return reply.code(ok ? 200 : 503).send({ ok, nodes, models: models.all().map(({ name }) => name) });
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
