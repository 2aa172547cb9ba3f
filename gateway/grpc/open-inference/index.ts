import { VERSION } from '../../../core/version.js';
import type { GatewayServices } from '../../dialects/rest-dialect.js';
import type { CallContext } from '../../inference/inferences.js';
import { isAvailable, type ServedVersion } from '../../models/served-models.js';
import { modelConfig, modelMetadata, SERVER_EXTENSIONS } from '../../open-inference/metadata.js';
import { modelStatistics } from '../../open-inference/statistics.js';
import { refuseSharedMemory } from '../../open-inference/unsupported.js';
import type { GrpcService, UnaryMethod } from '../grpc-service.js';
import { modelInfer, modelStreamInfer } from './infer.js';
import { optional, type ModelRequest } from './messages.js';
import { repositoryMethods } from './repository.js';

const SHARED_MEMORY = ['System', 'Cuda'].flatMap((kind) =>
  ['Status', 'Register', 'Unregister'].map((verb) => `${kind}SharedMemory${verb}`),
);

/**
 * Open Inference Protocol v2 over gRPC, with the extensions of Triton.
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_grpc.md
 */
export const inferenceService: GrpcService = {
  name: 'inference.GRPCInferenceService',
  dialect: 'grpc-open-inference',
  open: ['ServerLive', 'ServerReady'],

  methods: (services) => ({
    unary: {
      ...serverMethods(services),
      ...modelMethods(services),
      ...repositoryMethods(services),
      ...Object.fromEntries(SHARED_MEMORY.map((name) => [name, refusing(name)])),
      ModelInfer: modelInfer(services),
    },
    streams: { ModelStreamInfer: modelStreamInfer(services) },
  }),
};

function serverMethods({ config, models }: GatewayServices): Record<string, UnaryMethod> {
  return {
    ServerLive: () => ({ live: true }),
    ServerReady: () => ({ ready: models.isServing }),
    ServerMetadata: () => ({ name: config.oipServerName, version: VERSION, extensions: SERVER_EXTENSIONS }),
  };
}

function modelMethods({ models }: GatewayServices): Record<string, UnaryMethod> {
  const resolve = ({ name, version }: ModelRequest, { identity }: CallContext): ServedVersion =>
    models.visibleTo(identity).resolve(name, optional(version));
  const available = (name: string, { identity }: CallContext): ServedVersion[] =>
    models.visibleTo(identity).find(name)?.versions.filter(isAvailable) ?? [];
  const allAvailable = ({ identity }: CallContext): ServedVersion[] =>
    models
      .visibleTo(identity)
      .all()
      .flatMap(({ versions }) => versions.filter(isAvailable));
  return {
    ModelReady: ({ name, version }: ModelRequest, context) => ({
      ready: available(name, context).some((one) => version === '' || one.version === version),
    }),
    ModelMetadata: (request: ModelRequest, context) =>
      modelMetadata(resolve(request, context), available(request.name, context)),
    ModelConfig: (request: ModelRequest, context) => ({ config: modelConfig(resolve(request, context)) }),
    ModelStatistics: (request: ModelRequest, context) => ({
      model_stats: (request.name === '' ? allAvailable(context) : [resolve(request, context)]).map(
        modelStatistics,
      ),
    }),
  };
}

function refusing(name: string): UnaryMethod {
  return () => {
    throw refuseSharedMemory(name);
  };
}
