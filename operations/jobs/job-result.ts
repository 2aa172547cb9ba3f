import { JOB_PART, JOB_PARTS } from '../../cluster/jobs/job-headers.js';
import type { JobStatus } from '../../cluster/jobs/job-status.js';
import type { Config } from '../../core/config/config.js';
import type { KafkaClient, KafkaRecord } from '../../kafka/port.js';
import { scanRanges, topicRanges, type PartitionRange } from '../../kafka/reading/scan-topic.js';
import { PartituraError } from '../../schemas/errors.js';
import { decodeReply } from '../../schemas/framing/single-object.js';
import type { Tensor } from '../../schemas/generated.js';

const READ_LIMIT_MS = 30_000;
/** Clocks of coordinator and broker may differ. */
const SLACK_MS = 60_000;

/**
 * Reads the result of a finished job, part by part. Parts that were delivered twice, because a coordinator died, are read
 * once.
 * @param onPart takes a part; the next one waits for it
 * @throws PartituraError with the failure of the job, or INTERNAL if parts are missing
 */
export async function readResult(
  kafka: KafkaClient,
  config: Pick<Config, 'fetchMaxBytes'>,
  status: JobStatus,
  onPart: (outputs: readonly Tensor[], index: number) => Promise<void>,
): Promise<void> {
  const ranges = await rangesOf(kafka, status);
  const ended = new AbortController();
  let next = 0;
  let parts: number | undefined;
  const take = async ({ key, value, headers }: KafkaRecord): Promise<void> => {
    if (key?.toString() !== status.id || value === null || parts !== undefined) return;
    const { error, outputs } = decodeReply(value);
    if (error && status.state !== 'DONE') throw new PartituraError('PART_FAILED', error.message);
    if (error || Number(headers[JOB_PART]?.toString()) !== next) return;
    await onPart(outputs, next++);
    const all = headers[JOB_PARTS]?.toString();
    if (all === undefined) return;
    parts = Number(all);
    ended.abort();
  };
  await scanRanges(kafka, status.replyTopic, ranges, {
    limitMs: READ_LIMIT_MS,
    fetchMaxBytes: config.fetchMaxBytes,
    signal: ended.signal,
    onRecords: async (records) => {
      for (const record of records) await take(record);
    },
  });
  if (parts === undefined)
    throw new PartituraError(
      'INTERNAL',
      `result of '${status.id}': expected all parts on ${status.replyTopic}, got ${next}`,
    );
}

/** Returns the part of the reply topic that may hold the result. The time of submission is of the sender's clock. */
async function rangesOf(
  kafka: KafkaClient,
  { replyTopic, submittedAt, startedAt }: JobStatus,
): Promise<PartitionRange[]> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return (await topicRanges(admin, replyTopic, Math.min(submittedAt, startedAt) - SLACK_MS)) ?? [];
  } finally {
    await admin.close();
  }
}
