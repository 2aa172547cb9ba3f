import type { ServerDuplexStream, ServerUnaryCall } from '@grpc/grpc-js';
import type { Identity } from '../auth/identity.js';
import { traceHeaders } from '../http/call-context.js';
import { CallerSignal } from '../inference/caller-signal.js';
import type { CallContext } from '../inference/inferences.js';

type AnyCall = ServerUnaryCall<unknown, object> | ServerDuplexStream<unknown, object>;

/** Reads what the metadata, the deadline and the cancellation of a call say about it. */
export function callContextOf(call: AnyCall, identity: Identity, defaultTimeoutMs: number): CallContext {
  const signal = new CallerSignal();
  const abort = (): void => signal.abort('the caller cancelled the call');
  if (call.cancelled) abort();
  else call.once('cancelled', abort);
  return {
    identity,
    timeoutMs: remainingMs(call, defaultTimeoutMs),
    signal,
    headers: traceHeaders(call.metadata.getMap()),
  };
}

/** Returns the time until the deadline of a call; `defaultMs` if it has none. */
export function remainingMs(call: Pick<AnyCall, 'getDeadline'>, defaultMs: number): number {
  const deadline = Number(call.getDeadline());
  return Number.isFinite(deadline) ? Math.max(1, deadline - Date.now()) : defaultMs;
}
