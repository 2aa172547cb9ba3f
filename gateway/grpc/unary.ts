import type { handleUnaryCall, ServerUnaryCall } from '@grpc/grpc-js';
import { callContextOf } from './call-context.js';
import { statusOf } from './failures.js';
import type { UnaryMethod } from './grpc-service.js';
import type { CallObserver, CallParts } from './observer.js';

/** Creates the handler of a unary method. */
export function unaryHandler(
  method: UnaryMethod,
  observer: CallObserver,
  { config }: CallParts,
): handleUnaryCall<unknown, object> {
  const answer = async (call: ServerUnaryCall<unknown, object>): Promise<object> =>
    method(call.request as never, callContextOf(call, config.gatewayTimeoutMs));
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
