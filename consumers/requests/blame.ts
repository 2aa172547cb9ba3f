import { backoffMs, sleep, unlessAborted, within, type Backoff } from '../../core/time.js';

const BACKOFF: Backoff = { firstMs: 100, maxMs: 2_000 };
/** Time limit of one request, milliseconds: records wait for its answer. */
const REQUEST_TIMEOUT_MS = 2_000;

/** The side to blame for a failure, as far as the failure alone shows. */
export type FaultySide = 'request' | 'service' | 'unclear';

export interface Query<Answer> {
  ask(): Promise<Answer>;
  faultySideOf(error: Error): FaultySide;
  /** Duration of a failure of unclear origin after which the question is blamed, milliseconds. */
  graceMs?(error: Error): number;
  /** Monotonic milliseconds. */
  readonly now?: (() => number) | undefined;
  /** Sends a request that any healthy service answers. @throws Error if it does not */
  probe(): Promise<unknown>;
  readonly signal: AbortSignal;
  /** Called once, when the service seems to be unavailable. */
  onUnavailable?(error: Error): void;
  readonly backoff?: Backoff | undefined;
  readonly limitMs?: number | undefined;
}

/**
 * Asks a service about something that a sender named, and distinguishes an outage from a request that the service does
 * not answer. Outages are waited out, however long they take. A request that fails right after the service has answered
 * a probe is itself at fault, and must not block everything behind it.
 * @returns the answer, or the error that the request is to blame for
 * @throws the signal's reason once it aborts
 */
export async function queryOrBlame<Answer>(query: Query<Answer>): Promise<Answer | Error> {
  const { signal, backoff = BACKOFF, now = Date.now } = query;
  const startedAt = now();
  let isUp = false;
  let isReported = false;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const answer = await attemptOf(query.ask(), query);
    if (!(answer instanceof Failure)) return answer;
    const { error } = answer;
    signal.throwIfAborted();
    const side = query.faultySideOf(error);
    const isPatient = now() - startedAt < (query.graceMs?.(error) ?? 0);
    if (side === 'request' || (isUp && side === 'unclear' && !isPatient)) return error;
    isUp = side === 'unclear' && !((await attemptOf(query.probe(), query)) instanceof Failure);
    signal.throwIfAborted();
    if (!isUp && !isReported) {
      isReported = true;
      query.onUnavailable?.(error);
    }
    await sleep(backoffMs(backoff, attempt), signal);
  }
}

class Failure {
  constructor(readonly error: Error) {}
}

async function attemptOf<T>(
  work: Promise<T>,
  { signal, limitMs = REQUEST_TIMEOUT_MS }: Pick<Query<T>, 'signal' | 'limitMs'>,
): Promise<T | Failure> {
  try {
    return await within(
      limitMs,
      unlessAborted(signal, work),
      () => new UnansweredError(`no answer within ${limitMs} ms`),
    );
  } catch (error) {
    return new Failure(error instanceof Error ? error : new Error(String(error)));
  }
}

/** The error of a question that was not answered in time. */
export class UnansweredError extends Error {
  override readonly name = 'UnansweredError';
}
