import { loadSync, type PackageDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import { fileURLToPath } from 'node:url';

/** Folder of the .proto files, which lie beside the sources in the repository and in the package. */
const FOLDER = fileURLToPath(new URL('../../../gateway/grpc/protos/', import.meta.url));
const FILES = [
  'open_inference/grpc_service.proto',
  'tensorflow_serving/apis/prediction_service.proto',
  'tensorflow_serving/apis/model_service.proto',
];

/** Loads the services of the gateway. Messages have their fields' names, 64-bit integers as text, all defaults. */
export function loadProtos(): PackageDefinition {
  return loadSync(FILES, {
    includeDirs: [FOLDER],
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  });
}

/** Returns the methods of a service by its full name. @throws Error if no file defines it */
export function serviceOf(protos: PackageDefinition, name: string): ServiceDefinition {
  const found = protos[name];
  if (found && !('format' in found)) return found;
  throw new Error(`service ${name} is not defined`);
}
