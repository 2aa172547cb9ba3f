import { backoffMs, sleep, unlessAborted, type Backoff } from '../../core/time.js';
import type { OutageLink } from './outages.js';
import { KafkaError } from '../port.js';

const BACKOFF: Backoff = { firstMs: 200, maxMs: 3_000 };
const SILENT = new Error('the brokers do not answer');

/**
 * Does what takes a broker, again and again while there is none.
 * @param answerMs how long an answer may take before the brokers are taken for away
 * @throws the signal's reason when it aborts; what `work` throws, unless the brokers are just away
 */
export async function untilAvailable<T>(
  work: () => Promise<T>,
  outage: OutageLink,
  signal: AbortSignal,
  answerMs = Infinity,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const slow = answerMs < Infinity ? setTimeout(() => outage.failed(SILENT), answerMs) : undefined;
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
