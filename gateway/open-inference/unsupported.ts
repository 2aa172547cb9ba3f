import { FrontError, GRPC_STATUS } from '../inference/problem.js';

/** Refuses shared memory. @param what the call or the field */
export function refuseSharedMemory(what: string): FrontError {
  return unsupported(
    `${what}: shared memory is not supported, because the gateway and the nodes share none; send tensors in the request`,
  );
}

/** Refuses a feature of Triton that the cluster does not have. */
export function unsupported(message: string): FrontError {
  return new FrontError({ http: 501, grpc: GRPC_STATUS.UNIMPLEMENTED }, 'INVALID_REQUEST', message);
}
