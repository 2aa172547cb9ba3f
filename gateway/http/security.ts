import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import type { GatewayServices } from '../dialects/rest-dialect.js';

/** Headers that browsers obey; pages set a content security policy of their own. */
const HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};
const A_YEAR_OF_TLS = 'max-age=31536000';
const EXPOSED = ['inference-header-content-length', 'location', 'retry-after'];

/** Adds security headers and, for the configured origins, CORS. */
export function addSecurity(app: FastifyInstance, { config }: GatewayServices, isTls: boolean): void {
  const { gatewayCors: origins } = config;
  app.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(HEADERS);
    if (isTls) void reply.header('strict-transport-security', A_YEAR_OF_TLS);
    if (origins.length > 0) void reply.header('cross-origin-resource-policy', 'cross-origin');
    done();
  });
  if (origins.length === 0) return;
  const origin = origins.includes('*') ? '*' : [...origins];
  void app.register(cors, { origin, exposedHeaders: EXPOSED, methods: ['GET', 'POST', 'PUT', 'DELETE'] });
}
