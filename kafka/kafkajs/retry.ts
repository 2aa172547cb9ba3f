import { sleep } from '../../core/time.js';
import type { KafkaError } from '../port.js';
import { retryDelayMs } from '../errors/retry-delay.js';
import { toKafkaError } from './errors.js';

/** About six seconds in all; whoever called decides then whether to go on. */
export const RETRY = { retries: 24, initialRetryTime: 50, maxRetryTime: 250, factor: 0.2, multiplier: 2 };

/** The same with brokers that accept connections and never answer. */
export const CONNECT_LIMIT_MS = 12_000;

/**
 * Tries again what kafkajs gives up at the first attempt: it does not wait for a topic that was just made to be known, or
 * led, everywhere.
 * @throws KafkaError the last one
 */
export async function retryPassing<T>(
  work: () => Promise<T>,
  passing: readonly KafkaError['kind'][],
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (cause) {
      const error = toKafkaError(cause);
      if (!passing.includes(error.kind) || attempt > RETRY.retries) throw error;
      await sleep(retryDelayMs(attempt));
    }
  }
}
