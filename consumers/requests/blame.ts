import { backoffMs, sleep, unlessAborted, within, type Backoff } from '../../core/time.js';

const BACKOFF: Backoff = { firstMs: 100, maxMs: 2_000 };
/** A question that takes longer than this has failed: somebody's records wait for the answer. */
const QUESTION_LIMIT_MS = 2_000;

/** The side that a failure is to be blamed on, as far as the failure alone tells. */
export type Culprit = 'question' | 'service' | 'unclear';

export interface Inquiry<Answer> {
  ask(): Promise<Answer>;
  culpritOf(error: Error): Culprit;
  /** How long a failure of unclear origin must last before the question is blamed for it, milliseconds. */
  patienceMs?(error: Error): number;
  /** Milliseconds since any moment. */
  readonly now?: (() => number) | undefined;
  /** Asks for something that any healthy service answers. @throws Error when it does not */
  probe(): Promise<unknown>;
  readonly signal: AbortSignal;
  /** Called once, when the service seems to be away. */
  onAway?(error: Error): void;
  readonly backoff?: Backoff | undefined;
  readonly limitMs?: number | undefined;
}

/**
 * Asks a service about something that a sender named, and tells an outage from a question that this service will not
 * answer. An outage is waited out, however long it takes. A question that fails right after the service has answered a
 * probe is itself at fault: it must not hold up everything behind it.
 * @returns the answer, or the error that the question is to blame for
 * @throws the signal's reason once it aborts
 */
export async function answerOrBlame<Answer>(inquiry: Inquiry<Answer>): Promise<Answer | Error> {
  const { signal, backoff = BACKOFF, now = Date.now } = inquiry;
  const startedAt = now();
  let isUp = false;
  let isToldAway = false;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const answer = await attemptOf(inquiry.ask(), inquiry);
    if (!(answer instanceof Failure)) return answer;
    const { error } = answer;
    signal.throwIfAborted();
    const culprit = inquiry.culpritOf(error);
    const isPatient = now() - startedAt < (inquiry.patienceMs?.(error) ?? 0);
    if (culprit === 'question' || (isUp && culprit === 'unclear' && !isPatient)) return error;
    isUp = culprit === 'unclear' && !((await attemptOf(inquiry.probe(), inquiry)) instanceof Failure);
    signal.throwIfAborted();
    if (!isUp && !isToldAway) {
      isToldAway = true;
      inquiry.onAway?.(error);
    }
    await sleep(backoffMs(backoff, attempt), signal);
  }
}

class Failure {
  constructor(readonly error: Error) {}
}

async function attemptOf<T>(
  work: Promise<T>,
  { signal, limitMs = QUESTION_LIMIT_MS }: Pick<Inquiry<T>, 'signal' | 'limitMs'>,
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

/** A question that was not answered in time. */
export class UnansweredError extends Error {
  override readonly name = 'UnansweredError';
}
