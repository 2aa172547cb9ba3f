import { sleep } from '../../../core/time.js';
import type { OutageLink } from '../../errors/outages.js';
import type { KafkaError } from '../../port.js';
import { retryDelayMs } from '../../errors/retry-delay.js';
import { toKafkaError } from '../transport/errors.js';

const HEARTBEAT = 'heartbeat';

export interface HeartbeatOptions {
  readonly outage: OutageLink;
  /** Gives one. */
  readonly beat: () => Promise<void>;
  /** How often, while all goes well; more often after one that did not arrive. */
  readonly intervalMs: () => number;
  /** Told when the group answers otherwise than with a yes; they go on. A broker that is away is none of these. */
  readonly onRefused: (error: KafkaError) => void;
}

/** Gives signs of life until `signal` aborts, so that the group keeps a member on. */
export async function keepAlive(
  { outage, beat: give, intervalMs, onRefused }: HeartbeatOptions,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; !signal.aborted;) {
    await sleep(failures > 0 ? Math.min(intervalMs(), retryDelayMs(failures)) : intervalMs(), signal);
    if (signal.aborted) return;
    try {
      await give();
      failures = 0;
      outage.worked(HEARTBEAT);
    } catch (cause) {
      const error = toKafkaError(cause);
      if (error.kind !== 'unavailable') onRefused(error);
      else {
        failures++;
        outage.failed(error, HEARTBEAT);
      }
    }
  }
}
