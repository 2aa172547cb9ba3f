import { sleep } from '../../core/time.js';
import type { KafkaError } from '../port.js';
import { retryDelayMs } from '../errors/retry-delay.js';
import { toKafkaError } from './errors.js';

/** About six seconds in all; after that, the caller decides whether to retry. */
export const RETRY = { retries: 24, initialRetryTime: 50, maxRetryTime: 250, factor: 0.2, multiplier: 2 };

/** Timeout with brokers that accept connections and never answer. */
export const CONNECT_LIMIT_MS = 12_000;

/**
 * Retries errors that kafkajs treats as permanent: it does not wait until every broker knows a new topic and its
 * leaders are elected.
 * @throws KafkaError of the last attempt
 */
export async function retryKinds<T>(
  work: () => Promise<T>,
  retriable: readonly KafkaError['kind'][],
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (cause) {
      const error = toKafkaError(cause);
      if (!retriable.includes(error.kind) || attempt > RETRY.retries) throw error;
      await sleep(retryDelayMs(attempt));
    }
  }
}
