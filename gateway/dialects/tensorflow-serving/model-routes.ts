import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { modelStatus } from '../../tensorflow/model-status.js';
import { resolveVersion } from '../../tensorflow/resolve-version.js';
import { signatureDefs } from '../../tensorflow/signature-def.js';
import type { GatewayServices } from '../rest-dialect.js';
import { parseModel } from './paths.js';
import { malformed } from './prediction-routes.js';

/** Adds `GET /v1/models/{model}[/versions/{version}|/labels/{label}][/metadata]`. */
export function addModelRoutes(app: FastifyInstance, { models }: GatewayServices): void {
  const answer = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const path = parseModel(request.url.split('?', 1)[0] ?? '');
    if (!path) throw malformed(request);
    const known = models.visibleTo(request.identity);
    if (!path.isMetadata) return reply.send({ model_version_status: modelStatus(known, path) });
    const served = resolveVersion(known, path);
    return reply.send({
      model_spec: { name: path.model, signature_name: '', version: served.version },
      metadata: { signature_def: { signature_def: signatureDefs(served) } },
    });
  };
  app.get('/v1/*', answer);
  app.get('/V1/*', answer);
}
