import { sleep } from '../../../core/time.js';
import type { KafkaError } from '../../port.js';
import { retryDelayMs } from '../../errors/retry-delay.js';
import { toKafkaError } from './errors.js';

/** About five seconds in all where the broker refuses at once; whoever called decides then whether to go on. */
export const TRIES = 22;
/** No try begins later than this: a broker that accepts connections and never answers takes its time for each. */
const LIMIT_MS = 10_000;

export interface RetryOptions {
  readonly tries?: number;
  readonly signal?: AbortSignal;
  /** Told of each try that failed and is followed by another. */
  readonly onFailure?: (error: KafkaError) => void;
}

/**
 * Tries again while the error is a passing one.
 * @throws KafkaError the last one
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
      if (!isPassing(error) || attempt >= tries || signal?.aborted) throw error;
      if (performance.now() >= giveUpAt) throw error;
      onFailure?.(error);
      await sleep(retryDelayMs(attempt), signal);
      if (signal?.aborted) throw error;
    }
  }
}

function isPassing({ kind }: KafkaError): boolean {
  return kind === 'unavailable';
}
