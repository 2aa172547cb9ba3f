import { clusterTopics } from '../../cluster/topic-specs.js';
import { Outbox } from '../../kafka/sending/outbox.js';
import type { DeadLetterCluster } from './scan.js';

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
