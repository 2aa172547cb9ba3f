import { collectJobs, type JobStatus } from '../../cluster/jobs/job-status.js';
import { STATUS_LIMITS } from '../../cluster/jobs/live-jobs.js';
import { topicNames } from '../../cluster/topics.js';
import type { Config } from '../../core/config/config.js';
import type { KafkaClient } from '../../kafka/port.js';
import { readLatest } from '../../kafka/reading/compacted-table.js';

const LIMIT_MS = 15_000;

/** Reads the jobs of the last week once, the one that changed last at the end. @throws KafkaError */
export async function readJobs(
  kafka: KafkaClient,
  { prefix, fetchMaxBytes }: Pick<Config, 'prefix' | 'fetchMaxBytes'>,
): Promise<JobStatus[]> {
  const topic = topicNames(prefix).jobStatus;
  const records = await readLatest(kafka, topic, { ...STATUS_LIMITS, limitMs: LIMIT_MS, fetchMaxBytes });
  return [...collectJobs(records).statuses.values()];
}
