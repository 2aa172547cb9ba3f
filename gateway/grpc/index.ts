import type { GrpcService } from './grpc-service.js';
import { inferenceService } from './open-inference/index.js';
import { modelService, predictionService } from './tensorflow-serving/index.js';

/** gRPC services of the gateway. A new one is a folder, its .proto files and a line here. */
export const GRPC_SERVICES: readonly GrpcService[] = [inferenceService, predictionService, modelService];
