import type { Config } from '../../../core/config/config.js';
import { readDeadLetterTopics } from '../../../operations/dead-letters/read-topics.js';
import type { DeadLetterCluster } from '../../../operations/dead-letters/scan.js';
import type { UnreadableRecords } from '../../../kafka/port.js';
import { kafkaFor, withAdmin } from '../../kafka.js';
import { exitWithin, stopSignal, stopped } from '../../signals.js';
import { printError } from '../../output.js';

/** Runs `work` on a connected cluster and always closes the connection. */
export async function withCluster<T>(
  config: Config,
  work: (cluster: DeadLetterCluster) => Promise<T>,
): Promise<T> {
  const kafka = kafkaFor(config);
  return withAdmin(kafka, async (admin) => {
    const topics = await readDeadLetterTopics(kafka, config);
    return work({ kafka, admin, config, topics });
  });
}

/** Limit on work in flight after the stop signal. */
const STOP_LIMIT_MS = 10_000;

/**
 * Returns a signal that aborts at the first SIGINT or SIGTERM; work in flight may then finish. Before this call a signal
 * terminates the process immediately.
 */
export function finishingStopSignal(): AbortSignal {
  const signal = stopSignal();
  void stopped(signal).then(() =>
    exitWithin(STOP_LIMIT_MS, () => printError('partitura: work in flight did not finish in time; exiting')),
  );
  return signal;
}

/** @throws Error if the command was stopped, so that a caller never mistakes a part for the whole */
export function refuseIncomplete(signal: AbortSignal, hint: string): void {
  if (signal.aborted) throw new Error(`${(signal.reason as Error).message}; ${hint}`);
}

export function printUnreadable(
  { topic, partition, offset, lastOffset }: UnreadableRecords,
  reason: string,
): void {
  printError(`${topic} partition ${partition}: offsets ${offset} to ${lastOffset} are unreadable: ${reason}`);
}
