import { unlessAborted } from '../../core/time.js';
import type { KafkaClient, KafkaRecord } from '../port.js';
import { scanRanges, topicRanges, type PartitionRange } from './scan-topic.js';

export interface ReadOptions {
  /** Longest time without progress. */
  readonly limitMs: number;
  readonly fetchMaxBytes: number;
  /** Prefix of the consumer group, for clients that need one. */
  readonly groupPrefix?: string | undefined;
  /** Aborts the read. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a whole topic up to its current end; for small topics such as node status.
 * @returns its records, unordered across partitions; none if the topic does not exist
 * @throws KafkaError `unavailable` if nothing arrives for `limitMs`; the signal's reason once it aborts
 */
export async function readTopic(
  kafka: KafkaClient,
  topic: string,
  options: ReadOptions,
): Promise<KafkaRecord[]> {
  const ranges = await rangesOf(kafka, topic, options.signal);
  const found: KafkaRecord[] = [];
  await scanRanges(kafka, topic, ranges ?? [], {
    ...options,
    onRecords: (records) => {
      for (const record of records) found.push(record);
    },
  });
  options.signal?.throwIfAborted();
  return found;
}

/**
 * Looks up a topic's current offsets; undefined if it does not exist.
 * @param since as for `topicRanges`
 */
export async function rangesOf(
  kafka: KafkaClient,
  topic: string,
  signal: AbortSignal = new AbortController().signal,
  since?: number,
): Promise<PartitionRange[] | undefined> {
  const admin = kafka.admin();
  try {
    await unlessAborted(signal, admin.connect());
    return await unlessAborted(signal, topicRanges(admin, topic, since));
  } finally {
    await admin.close();
  }
}
