import type { handleUnaryCall, ServerUnaryCall } from '@grpc/grpc-js';
import { ANYBODY } from '../auth/identity.js';
import { identify } from './authenticated.js';
import { callContextOf } from './call-context.js';
import { statusOf } from './failures.js';
import type { UnaryMethod } from './grpc-service.js';
import type { CallObserver, CallParts } from './observer.js';

/** Creates the handler of a unary method. @param isOpen true if it needs no credential */
export function unaryHandler(
  method: UnaryMethod,
  isOpen: boolean,
  observer: CallObserver,
  { authenticator, config }: CallParts,
): handleUnaryCall<unknown, object> {
  const answer = async (call: ServerUnaryCall<unknown, object>): Promise<object> => {
    const identity = isOpen ? ANYBODY : await identify(authenticator, call.metadata);
    return method(call.request as never, callContextOf(call, identity, config.gatewayTimeoutMs));
  };
  return (call, callback) => {
    const startedAt = performance.now();
    answer(call).then(
      (value) => {
        observer.succeeded(startedAt);
        callback(null, value);
      },
      (error: unknown) => callback(statusOf(observer.failed(error, call.getDeadline(), startedAt))),
    );
  };
}
