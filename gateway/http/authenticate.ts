import type { FastifyInstance } from 'fastify';
import { ANYBODY } from '../auth/identity.js';
import type { GatewayServices } from '../dialects/rest-dialect.js';

/** Resources that load balancers and orchestrators read without a credential. */
const OPEN = /^\/(healthz|readyz|v2\/health\/(live|ready))\/?$/;

/** Requires a credential for everything but health, if authentication is configured. */
export function authenticate(app: FastifyInstance, { authenticator }: GatewayServices): void {
  app.decorateRequest('identity');
  app.addHook('onRequest', async (request, reply) => {
    const isOpen = OPEN.test(request.url.split('?', 1)[0] ?? '') || request.method === 'OPTIONS';
    if (isOpen) request.identity = ANYBODY;
    else {
      void reply.header('www-authenticate', challengeFor(request.headers.accept));
      request.identity = await authenticator.identify(request.headers);
      void reply.removeHeader('www-authenticate');
    }
  });
}

/** Browsers ask a person for a name and a password, which is the credential; programs send tokens. */
function challengeFor(accept: string | undefined): string {
  return accept?.includes('text/html') ? 'Basic realm="Partitura", charset="UTF-8"' : 'Bearer';
}
