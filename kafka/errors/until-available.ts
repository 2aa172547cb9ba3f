import { backoffMs, sleep, unlessAborted, type Backoff } from '../../core/time.js';
import type { OutageLink } from './outages.js';
import { KafkaError } from '../port.js';

const BACKOFF: Backoff = { firstMs: 200, maxMs: 3_000 };
const NO_ANSWER = new Error('no answer from the brokers');

/**
 * Runs `work`, retrying while the brokers are unavailable.
 * @param answerMs time without an answer after which the brokers count as unavailable
 * @throws the signal's reason if it aborts; any error of `work` other than unavailability
 */
export async function untilAvailable<T>(
  work: () => Promise<T>,
  outage: OutageLink,
  signal: AbortSignal,
  answerMs = Infinity,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const slow = answerMs < Infinity ? setTimeout(() => outage.failed(NO_ANSWER), answerMs) : undefined;
    try {
      const result = await unlessAborted(signal, work());
      outage.worked();
      return result;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof KafkaError) || error.kind !== 'unavailable') throw error;
      outage.failed(error);
      await sleep(backoffMs(BACKOFF, attempt), signal);
    } finally {
      clearTimeout(slow);
    }
  }
}
