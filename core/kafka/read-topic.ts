import { randomUUID } from 'node:crypto';
import { within } from '../retry.js';
import { KafkaError, type KafkaClient, type KafkaRecord } from './port.js';

export interface ReadOptions {
  readonly limitMs: number;
  readonly fetchMaxBytes: number;
}

/**
 * Reads a whole topic as it is now: for small ones, like the status of nodes.
 * @returns its records in no order across partitions; none when it does not exist
 * @throws KafkaError `unavailable` when it takes longer than `limitMs`
 */
export async function readTopic(
  kafka: KafkaClient,
  topic: string,
  { limitMs, fetchMaxBytes }: ReadOptions,
): Promise<KafkaRecord[]> {
  const admin = kafka.admin();
  await admin.connect();
  const exists = (await admin.partitionCount(topic)) !== undefined;
  const offsets = exists ? await admin.offsets(topic) : [];
  await admin.close();
  const ends = new Map(
    offsets.filter(({ start, end }) => end > start).map(({ partition, end }) => [partition, end]),
  );
  if (ends.size === 0) return [];
  return collect(kafka, topic, ends, limitMs, fetchMaxBytes);
}

async function collect(
  kafka: KafkaClient,
  topic: string,
  ends: Map<number, number>,
  limitMs: number,
  fetchMaxBytes: number,
): Promise<KafkaRecord[]> {
  const consumer = kafka.consumer({
    group: `partitura.read.${randomUUID()}`,
    topic,
    from: 'earliest',
    partitions: [...ends.keys()],
    sessionTimeoutMs: 10_000,
    fetchMaxBytes,
  });
  const found: KafkaRecord[] = [];
  const complete = new Promise<void>((resolve, reject) => {
    const onRecords = (records: readonly KafkaRecord[]): void => {
      found.push(...records);
      const last = records.at(-1);
      if (last && last.offset + 1 >= (ends.get(last.partition) ?? 0)) ends.delete(last.partition);
      if (ends.size === 0) resolve();
    };
    const handlers = {
      onRecords,
      onAssigned: () => undefined,
      onRevoked: () => Promise.resolve(),
      onCrash: reject,
    };
    consumer.start(handlers).catch(reject);
  });
  try {
    await within(
      limitMs,
      complete,
      () => new KafkaError('unavailable', `topic ${topic}: not read within ${limitMs} ms`),
    );
    return found;
  } finally {
    await consumer.close();
  }
}
