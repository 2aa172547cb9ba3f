import { unlessAborted } from '../../core/time.js';
import type { KafkaClient, KafkaRecord } from '../port.js';
import { scanRanges, topicRanges, type PartitionRange } from './scan-topic.js';

export interface ReadOptions {
  /** How long nothing may come. */
  readonly limitMs: number;
  readonly fetchMaxBytes: number;
  /** How the names of groups begin that it is read with, by clients that need one. */
  readonly groupPrefix?: string | undefined;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a whole topic as it is now: for small ones, like the status of nodes.
 * @returns its records in no order across partitions; none when it does not exist
 * @throws KafkaError `unavailable` when nothing comes for `limitMs`; the signal's reason once it aborts
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

/** Finds out what a topic holds now; undefined when it does not exist. */
export async function rangesOf(
  kafka: KafkaClient,
  topic: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<PartitionRange[] | undefined> {
  const admin = kafka.admin();
  try {
    await unlessAborted(signal, admin.connect());
    return await unlessAborted(signal, topicRanges(admin, topic));
  } finally {
    await admin.close();
  }
}
