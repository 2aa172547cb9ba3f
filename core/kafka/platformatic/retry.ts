import { backoffMs, sleep, type Backoff } from '../../retry.js';
import type { KafkaError } from '../port.js';
import { toKafkaError } from './errors.js';

export const BACKOFF: Backoff = { firstMs: 50, maxMs: 1_000 };
/** About five seconds in all; whoever called decides then whether to go on. */
const TRIES = 9;

/**
 * Tries again while the error is a passing one.
 * @throws KafkaError the last one
 */
export async function retry<T>(
  work: () => Promise<T>,
  { tries = TRIES, signal }: { tries?: number; signal?: AbortSignal } = {},
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (cause) {
      const error = toKafkaError(cause);
      if (!isPassing(error) || attempt >= tries || signal?.aborted) throw error;
      await sleep(backoffMs(BACKOFF, attempt), signal);
    }
  }
}

function isPassing({ kind }: KafkaError): boolean {
  return kind === 'unavailable';
}
