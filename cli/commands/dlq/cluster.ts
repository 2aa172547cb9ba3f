import { readBindings } from '../../../cluster/bindings/store.js';
import { deadLetterTopic } from '../../../cluster/bindings/definition.js';
import type { Config } from '../../../core/config/config.js';
import type { DeadLetterCluster } from '../../../operations/dead-letters/scan.js';
import { DeadLetterTopics } from '../../../operations/dead-letters/topics.js';
import { Outbox } from '../../../kafka/sending/outbox.js';
import type { UnreadableRecords } from '../../../kafka/port.js';
import { clusterTopics } from '../../../cluster/topic-specs.js';
import { topicNames } from '../../../cluster/topics.js';
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
    const bindings = [...(await readBindings(kafka, config)).values()];
    const ofBindings = new Map<string, Set<string>>();
    for (const { definition } of bindings) {
      const topic = deadLetterTopic(definition);
      ofBindings.set(topic, (ofBindings.get(topic) ?? new Set()).add(definition.source.topic));
    }
    const topics = new DeadLetterTopics(topicNames(config.prefix), ofBindings);
    return work({ kafka, admin, config, topics });
  });
}

/** Runs `work` with an outbox; a dry run gets none and creates no topics. */
export async function withOutbox<T>(
  { kafka, admin, config }: DeadLetterCluster,
  isDryRun: boolean,
  work: (outbox: Outbox | undefined) => Promise<T>,
): Promise<T> {
  if (isDryRun) return work(undefined);
  const producer = kafka.producer();
  const outbox = new Outbox(producer);
  try {
    await admin.createTopics(clusterTopics(config));
    await producer.connect();
    return await work(outbox);
  } finally {
    await outbox.close();
    await producer.close();
  }
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
