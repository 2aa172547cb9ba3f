import type { FastifyInstance, FastifyRequest } from 'fastify';
import { VERSION } from '../../../core/version.js';
import { isAvailable } from '../../models/served-models.js';
import type { GatewayServices } from '../rest-dialect.js';
import { modelConfig, modelMetadata, SERVER_EXTENSIONS } from '../../open-inference/metadata.js';
import { modelStatistics } from '../../open-inference/statistics.js';

type ModelRequest = FastifyRequest<{ Params: { readonly model: string; readonly version?: string } }>;

/** Adds the health, metadata, configuration and statistics resources. */
export function addMetadataRoutes(app: FastifyInstance, { config, models }: GatewayServices): void {
  app.get('/v2', () => ({ name: config.oipServerName, version: VERSION, extensions: SERVER_EXTENSIONS }));
  app.get('/v2/health/live', () => ({ live: true }));
  app.get('/v2/health/ready', (_request, reply) =>
    reply.code(models.isServing ? 200 : 503).send({ ready: models.isServing }),
  );
  for (const path of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    app.get(path, ({ params: { model, version } }: ModelRequest) => {
      const served = models.resolve(model, version);
      return modelMetadata(served, models.find(model)?.versions.filter(isAvailable) ?? []);
    });
    app.get(`${path}/config`, ({ params: { model, version } }: ModelRequest) =>
      modelConfig(models.resolve(model, version)),
    );
    app.get(`${path}/stats`, ({ params: { model, version } }: ModelRequest) => ({
      model_stats: [modelStatistics(models.resolve(model, version))],
    }));
    app.get(`${path}/ready`, ({ params: { model, version } }: ModelRequest, reply) => {
      const versions = models.find(model)?.versions ?? [];
      const ready = versions.some(
        (one) => isAvailable(one) && (version === undefined || one.version === version),
      );
      return reply.code(ready ? 200 : 503).send({ name: model, ready });
    });
  }
  app.get('/v2/models/stats', () => ({
    model_stats: models.all().flatMap(({ versions }) => versions.filter(isAvailable).map(modelStatistics)),
  }));
}
