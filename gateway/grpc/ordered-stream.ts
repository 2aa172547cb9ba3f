import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js';
import type { RequestSignal } from '../../producers/reply-router.js';
import type { CallContext } from '../inference/inferences.js';
import { GRPC_STATUS } from '../inference/problem.js';
import type { Identity } from '../auth/identity.js';
import { identify } from './authenticated.js';
import { callContextOf, remainingMs } from './call-context.js';
import type { OrderedStreamMethod } from './grpc-service.js';
import type { CallObserver, CallParts } from './observer.js';
import { statusOf } from './failures.js';

/** Requests of one stream that are being answered; more are not read. */
const MAX_STARTED = 32;

type Call = ServerDuplexStream<unknown, object>;

/** Creates the handler of an ordered stream: requests are answered concurrently, answers leave in their order. */
export function orderedStreamHandler(
  method: OrderedStreamMethod,
  observer: CallObserver,
  parts: CallParts,
): handleBidiStreamingCall<unknown, object> {
  const refuse = (call: Call, error: unknown): void => {
    call.emit('error', statusOf(observer.failed(error, call.getDeadline(), performance.now())));
  };
  return (call) => {
    identify(parts.authenticator, call.metadata).then(
      (identity) => new OrderedStream({ call, method, observer, parts, identity }).start(),
      (error: unknown) => refuse(call, error),
    );
  };
}

interface StreamParts {
  readonly call: Call;
  readonly method: OrderedStreamMethod;
  readonly observer: CallObserver;
  readonly parts: CallParts;
  readonly identity: Identity;
}

class OrderedStream {
  readonly #context: CallContext;
  /** Resolves when all answers so far are written. */
  #written: Promise<void> = Promise.resolve();
  #started = 0;
  #ended = false;

  constructor(readonly stream: StreamParts) {
    const { call, identity, parts } = stream;
    this.#context = callContextOf(call, identity, parts.config.gatewayTimeoutMs);
  }

  start(): void {
    const { call, parts } = this.stream;
    const { draining } = parts;
    const stop = (): void => this.#end(() => this.#refuseMore());
    call.on('data', (request: unknown) => this.#onRequest(request));
    call.once('end', () => this.#end(() => call.end()));
    call.once('error', () => (this.#ended = true));
    call.once('close', () => draining.removeEventListener('abort', stop));
    if (draining.aborted) stop();
    else draining.addEventListener('abort', stop, { once: true });
  }

  #onRequest(request: unknown): void {
    if (this.#ended) return;
    if (++this.#started >= MAX_STARTED) this.stream.call.pause();
    const answer = this.#answer(request);
    this.#written = this.#written.then(async () => {
      await this.#write(await answer);
      this.#started--;
      if (!this.#ended) this.stream.call.resume();
    });
  }

  /** Never rejects: a failure is an answer, too. */
  async #answer(request: unknown): Promise<object> {
    const { call, method, observer, parts } = this.stream;
    const startedAt = performance.now();
    try {
      const timeoutMs = remainingMs(call, parts.config.gatewayTimeoutMs);
      const answer = await method.answer(request as never, { ...this.#context, timeoutMs });
      observer.succeeded(startedAt);
      return answer;
    } catch (error) {
      return method.failure(request as never, observer.failed(error, call.getDeadline(), startedAt));
    }
  }

  /** Waits for a slow reader; cancellation ends the wait. */
  async #write(answer: object): Promise<void> {
    const { signal } = this.#context;
    if (signal.aborted || this.stream.call.write(answer)) return;
    await drained(this.stream.call, signal);
  }

  /** Stops reading, and calls `last` when the requests in flight are answered. */
  #end(last: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    void this.#written.then(last);
  }

  #refuseMore(): void {
    const message = 'the gateway is stopping; open the stream again';
    const problem = { http: 503, grpc: GRPC_STATUS.UNAVAILABLE, code: 'UNAVAILABLE', message };
    this.stream.call.emit('error', statusOf(problem));
  }
}

/** Resolves when a slow reader has caught up, or is gone. */
function drained(call: Call, signal: RequestSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      call.off('drain', end);
      signal.removeEventListener('abort', end);
      resolve();
    };
    call.on('drain', end);
    signal.addEventListener('abort', end);
  });
}
