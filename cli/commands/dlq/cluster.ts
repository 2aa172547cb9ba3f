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

/** Connects, works, and closes whatever comes of it. */
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

/** The same with a way to send, unless it is a dry run: that neither sends nor makes topics. */
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

/** How long what is under way may take once the command is to stop. */
const STOP_LIMIT_MS = 10_000;

/**
 * Aborts at the first signal to stop; what is under way may then come to its end. Until this is called a signal ends the
 * process at once.
 */
export function finishingStopSignal(): AbortSignal {
  const signal = stopSignal();
  void stopped(signal).then(() =>
    exitWithin(STOP_LIMIT_MS, () => printError('partitura: what was under way did not finish in time')),
  );
  return signal;
}

/** @throws Error when it was stopped: who waits for all must not take a part for it */
export function refuseHalf(signal: AbortSignal, what: string): void {
  if (signal.aborted) throw new Error(`${(signal.reason as Error).message}: ${what}`);
}

export function sayUnreadable(
  { topic, partition, offset, lastOffset }: UnreadableRecords,
  why: string,
): void {
  printError(`${topic} partition ${partition}: offsets ${offset} to ${lastOffset} can't be read: ${why}`);
}
