import {
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServiceDefinition,
  type UntypedServiceImplementation,
  type Server,
} from '@grpc/grpc-js';
import { GRPC_STATUS } from '../inference/problem.js';
import { statusOf } from './failures.js';

/** A message that is not of its type, in place of the message. */
class Malformed {
  constructor(readonly reason: string) {}
}

/**
 * Registers services whose messages may be malformed: the library would answer INTERNAL, as if the gateway had failed.
 * Needs `refuseMalformed` among the interceptors of the server.
 */
export function checkingMessages(server: Server): Pick<Server, 'addService'> {
  return {
    addService: (definition: ServiceDefinition, implementation: UntypedServiceImplementation) =>
      server.addService(checking(definition), implementation),
  };
}

function checking(definition: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(definition).map(([name, method]) => [
      name,
      {
        ...method,
        requestDeserialize: (bytes: Buffer): unknown => {
          try {
            return method.requestDeserialize(bytes);
          } catch (error) {
            return new Malformed((error as Error).message);
          }
        },
      },
    ]),
  );
}

/** Answers malformed messages with INVALID_ARGUMENT. */
export const refuseMalformed: ServerInterceptor = (_method, call) => {
  let isRefused = false;
  return new ServerInterceptingCall(call, {
    start: (next) =>
      next({
        onReceiveMessage: (message: unknown, pass) => {
          if (!(message instanceof Malformed)) return pass(message);
          isRefused = true;
          call.sendStatus(
            statusOf({
              http: 400,
              grpc: GRPC_STATUS.INVALID_ARGUMENT,
              code: 'DECODE_FAILED',
              message: `message: expected the request of this method, got other bytes: ${message.reason}`,
            }),
          );
        },
        onReceiveHalfClose: (pass) => {
          if (!isRefused) pass();
        },
      }),
  });
};
