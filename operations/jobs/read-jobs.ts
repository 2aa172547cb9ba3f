import { collectJobs, type JobStatus } from '../../cluster/jobs/job-status.js';
import { topicNames } from '../../cluster/topics.js';
import type { Config } from '../../core/config/config.js';
import type { KafkaClient, KafkaRecord } from '../../kafka/port.js';
import { scanRanges, topicRanges } from '../../kafka/reading/scan-topic.js';

const LIMIT_MS = 15_000;

/** Reads the jobs of the last week once, the one that changed last at the end. @throws KafkaError */
export async function readJobs(
  kafka: KafkaClient,
  { prefix, fetchMaxBytes }: Pick<Config, 'prefix' | 'fetchMaxBytes'>,
): Promise<JobStatus[]> {
  const topic = topicNames(prefix).jobStatus;
  const admin = kafka.admin();
  await admin.connect();
  const ranges = await topicRanges(admin, topic).finally(() => admin.close());
  const latest = new Map<string, KafkaRecord>();
  const keep = (record: KafkaRecord): void => {
    const key = record.key?.toString() ?? '';
    latest.delete(key);
    latest.set(key, record);
  };
  const onRecords = (records: readonly KafkaRecord[]): void => records.forEach(keep);
  await scanRanges(kafka, topic, ranges ?? [], { limitMs: LIMIT_MS, fetchMaxBytes, onRecords });
  return [...collectJobs([...latest.values()]).statuses.values()];
}
