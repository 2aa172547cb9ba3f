import type { KafkaClient, KafkaRecord } from './port.js';
import { scanRanges, topicRanges } from './scan-topic.js';

export interface ReadOptions {
  /** How long nothing may come. */
  readonly limitMs: number;
  readonly fetchMaxBytes: number;
}

/**
 * Reads a whole topic as it is now: for small ones, like the status of nodes.
 * @returns its records in no order across partitions; none when it does not exist
 * @throws KafkaError `unavailable` when nothing comes for `limitMs`
 */
export async function readTopic(
  kafka: KafkaClient,
  topic: string,
  options: ReadOptions,
): Promise<KafkaRecord[]> {
  const admin = kafka.admin();
  await admin.connect();
  const ranges = await topicRanges(admin, topic).finally(() => admin.close());
  const found: KafkaRecord[] = [];
  await scanRanges(kafka, topic, ranges ?? [], {
    ...options,
    onRecords: (records) => {
      for (const record of records) found.push(record);
    },
  });
  return found;
}
