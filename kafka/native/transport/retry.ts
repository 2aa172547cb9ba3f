import { sleep } from '../../../core/time.js';
import type { KafkaError } from '../../port.js';
import { retryDelayMs } from '../../errors/retry-delay.js';
import { toKafkaError } from './errors.js';

/** About five seconds in all if the broker refuses at once; after that, the caller decides whether to retry. */
export const TRIES = 22;
/** Latest start of an attempt: a broker that accepts connections and never answers uses up a timeout for each. */
const LIMIT_MS = 10_000;

export interface RetryOptions {
  readonly tries?: number;
  readonly signal?: AbortSignal;
  /** Called for each failed attempt that is retried. */
  readonly onFailure?: (error: KafkaError) => void;
}

/**
 * Retries while the error is temporary.
 * @throws KafkaError of the last attempt
 */
export async function retry<T>(
  work: () => Promise<T>,
  { tries = TRIES, signal, onFailure }: RetryOptions = {},
): Promise<T> {
  const giveUpAt = performance.now() + LIMIT_MS;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (cause) {
      const error = toKafkaError(cause);
      if (!error.retriable || attempt >= tries || signal?.aborted) throw error;
      if (performance.now() >= giveUpAt) throw error;
      onFailure?.(error);
      await sleep(retryDelayMs(attempt), signal);
      if (signal?.aborted) throw error;
    }
  }
}
