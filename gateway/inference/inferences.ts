import type { InferenceReply, InferenceRequest } from '../../schemas/generated.js';
import { statedError } from '../../schemas/errors.js';
import type { Identity } from '../auth/identity.js';
import type { RequestSignal } from '../../producers/reply-router.js';
import type { RequestChannel } from '../../producers/request-channel.js';
import type { ServedModels } from '../models/served-models.js';
import { Overloaded } from './problem.js';

/** Circumstances of a call, whatever its protocol. */
export interface CallContext {
  /** Sender of the request. */
  readonly identity: Identity;
  /** Time to wait for the reply, milliseconds. */
  readonly timeoutMs: number;
  /** Aborts when the caller goes away. */
  readonly signal: RequestSignal;
  /** Trace headers to continue: `traceparent`, `tracestate`, `baggage`. */
  readonly headers: Readonly<Record<string, Buffer>>;
}

/** Sends requests of all dialects to the cluster. */
export class Inferences {
  /** @param expectedWaitMs returns the time that a new request of a model waits, milliseconds */
  constructor(
    readonly channel: Pick<RequestChannel, 'request'>,
    readonly models: ServedModels,
    readonly expectedWaitMs: (model: string) => number,
  ) {}

  /**
   * Requests an inference.
   * @throws PartituraError if the request is refused, by the gateway or by a node
   * @throws NoReplyError if no reply arrived
   */
  async infer(request: InferenceRequest, context: CallContext): Promise<InferenceReply> {
    const { identity, timeoutMs, signal, headers } = context;
    identity.requireModel(request.model);
    this.models.resolve(request.model, request.modelVersion ?? undefined);
    this.#refuseHopeless(request.model, timeoutMs);
    // Timeouts may have fractions of a millisecond, deadlines have none.
    const deadline = Math.ceil(Math.min(request.deadline ?? Infinity, Date.now() + timeoutMs));
    const reply = await this.channel.request({ ...request, deadline }, { timeoutMs, signal, headers });
    if (!reply.error) return reply;
    throw statedError(reply.error);
  }

  /** Refuses at once what every node would refuse after its queue. */
  #refuseHopeless(model: string, timeoutMs: number): void {
    const waitMs = this.expectedWaitMs(model);
    if (waitMs <= timeoutMs) return;
    throw new Overloaded(
      `model '${model}': expected a wait of at most ${timeoutMs} ms, got a queue of ${Math.round(waitMs)} ms`,
      Math.max(1, Math.ceil((waitMs - timeoutMs) / 1_000)),
    );
  }
}
