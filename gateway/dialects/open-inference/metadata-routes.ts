import type { FastifyInstance, FastifyRequest } from 'fastify';
import { VERSION } from '../../../core/version.js';
import type { CallerModels } from '../../models/caller-models.js';
import { isAvailable, type ServedVersion } from '../../models/served-models.js';
import type { GatewayServices } from '../rest-dialect.js';
import { modelConfig, modelMetadata, SERVER_EXTENSIONS } from '../../open-inference/metadata.js';
import { modelStatistics } from '../../open-inference/statistics.js';

type AnyRequest = Pick<FastifyRequest, 'identity'>;
type ModelRequest = FastifyRequest<{ Params: { readonly model: string; readonly version?: string } }>;

/** Adds the health, metadata, configuration and statistics resources. */
export function addMetadataRoutes(app: FastifyInstance, { config, models }: GatewayServices): void {
  const known = ({ identity }: AnyRequest): CallerModels => models.visibleTo(identity);
  app.get('/v2', () => ({ name: config.oipServerName, version: VERSION, extensions: SERVER_EXTENSIONS }));
  app.get('/v2/health/live', () => ({ live: true }));
  app.get('/v2/health/ready', (_request, reply) =>
    reply.code(models.isServing ? 200 : 503).send({ ready: models.isServing }),
  );
  for (const path of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    app.get(path, (request: ModelRequest) => {
      const { model, version } = request.params;
      const served = known(request).resolve(model, version);
      return modelMetadata(served, models.find(model)?.versions.filter(isAvailable) ?? []);
    });
    const resolve = (request: ModelRequest): ServedVersion =>
      known(request).resolve(request.params.model, request.params.version);
    app.get(`${path}/config`, (request: ModelRequest) => modelConfig(resolve(request)));
    app.get(`${path}/stats`, (request: ModelRequest) => ({
      model_stats: [modelStatistics(resolve(request))],
    }));
    app.get(`${path}/ready`, (request: ModelRequest, reply) => {
      const { model, version } = request.params;
      const versions = known(request).find(model)?.versions ?? [];
      const ready = versions.some(
        (one) => isAvailable(one) && (version === undefined || one.version === version),
      );
      return reply.code(ready ? 200 : 503).send({ name: model, ready });
    });
  }
  app.get('/v2/models/stats', (request) => ({
    model_stats: known(request)
      .all()
      .flatMap(({ versions }) => versions.filter(isAvailable).map(modelStatistics)),
  }));
}
