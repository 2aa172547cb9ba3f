import { sleep } from '../../../core/time.js';
import type { OutageLink } from '../../errors/outages.js';
import type { KafkaError } from '../../port.js';
import { retryDelayMs } from '../../errors/retry-delay.js';
import { toKafkaError } from '../transport/errors.js';

const HEARTBEAT = 'heartbeat';

export interface HeartbeatOptions {
  readonly outage: OutageLink;
  /** Sends one heartbeat. */
  readonly beat: () => Promise<void>;
  /** Interval while heartbeats succeed; it is shorter after a failure. */
  readonly intervalMs: () => number;
  /** Called if the group rejects a heartbeat; heartbeats continue. Not called if the broker is unavailable. */
  readonly onRefused: (error: KafkaError) => void;
}

/** Sends heartbeats until `signal` aborts, so that the group does not remove the member. */
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
