import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ANYBODY } from '../auth/identity.js';
import type { GatewayServices } from '../dialects/rest-dialect.js';

/** Resources that load balancers and orchestrators read without a credential. */
const OPEN = /^\/(healthz|readyz|v2\/health\/(live|ready))\/?$/;

/** Requires a credential for everything but health, if authentication is configured. */
export function authenticate(app: FastifyInstance, { authenticator }: GatewayServices): void {
  app.decorateRequest('identity');
  app.addHook('onRequest', (request, reply, done) => {
    request.identity = ANYBODY;
    if (!authenticator.isRequired || isOpen(request)) return done();
    void reply.header('www-authenticate', challengeFor(request.headers.accept));
    authenticator.identify(request.headers).then((identity) => {
      request.identity = identity;
      void reply.removeHeader('www-authenticate');
      done();
    }, done);
  });
}

function isOpen({ method, url }: FastifyRequest): boolean {
  return method === 'OPTIONS' || OPEN.test(url.split('?', 1)[0] ?? '');
}

/** Browsers ask a person for a name and a password, which is the credential; programs send tokens. */
function challengeFor(accept: string | undefined): string {
  return accept?.includes('text/html') ? 'Basic realm="Partitura", charset="UTF-8"' : 'Bearer';
}
