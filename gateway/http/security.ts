import cors from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { FrontError, GRPC_STATUS } from '../inference/problem.js';
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

/** Resources that change the cluster: `*` does not open them to every page. */
const CONTROL = /^\/(api|console)\/|^\/v2\/repository\/models\//i;

/**
 * Returns true for a change that a page of another origin sends. Browsers send simple requests without asking, and with
 * the credentials that they hold, so CORS alone does not stop them.
 */
function isForeign({ method, url, headers }: FastifyRequest, allowed: readonly string[]): boolean {
  const { origin } = headers;
  // HTTP/2 has an authority instead of a host.
  const host = headers[':authority'] ?? headers.host;
  if (origin === undefined || method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return false;
  if (allowed.includes(origin) || (allowed.includes('*') && !CONTROL.test(url))) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}

/** Adds security headers and, for the configured origins, CORS. */
export function addSecurity(app: FastifyInstance, { config }: GatewayServices, isTls: boolean): void {
  const { gatewayCors: origins } = config;
  app.addHook('onRequest', (request, reply, done) => {
    void reply.headers(HEADERS);
    if (isTls) void reply.header('strict-transport-security', A_YEAR_OF_TLS);
    if (origins.length > 0) void reply.header('cross-origin-resource-policy', 'cross-origin');
    if (isForeign(request, origins))
      throw new FrontError(
        { http: 403, grpc: GRPC_STATUS.PERMISSION_DENIED },
        'PERMISSION_DENIED',
        `origin: expected this gateway's or one of PARTITURA_GATEWAY_CORS, got '${request.headers.origin}'`,
      );
    done();
  });
  if (origins.length === 0) return;
  const origin = origins.includes('*') ? '*' : [...origins];
  void app.register(cors, { origin, exposedHeaders: EXPOSED, methods: ['GET', 'POST', 'PUT', 'DELETE'] });
}
