import { JOB_PART, JOB_PARTS } from '../../cluster/jobs/job-headers.js';
import { isFinished, type JobStatus } from '../../cluster/jobs/job-status.js';
import type { Config } from '../../core/config/config.js';
import type { KafkaClient, KafkaRecord } from '../../kafka/port.js';
import { rangesOf } from '../../kafka/reading/read-topic.js';
import { scanRanges } from '../../kafka/reading/scan-topic.js';
import { invalidRequest, PartituraError, statedError } from '../../schemas/errors.js';
import { decodeReply } from '../../schemas/framing/single-object.js';
import type { Tensor } from '../../schemas/generated.js';

const READ_LIMIT_MS = 30_000;
/** Clocks of coordinator and broker may differ. */
const SLACK_MS = 60_000;

/** @throws PartituraError with the failure of the job, or INVALID_REQUEST if its result is not on a topic, or not yet */
export function requireResult({ id, state, output, error }: JobStatus): void {
  if (error) throw statedError(error, 'PART_FAILED');
  if (!isFinished({ state }))
    throw invalidRequest(`job '${id}': expected one that has ended, but it is ${state}`);
  if (output !== null)
    throw invalidRequest(`job '${id}': its result is in the file '${output}' of the coordinator`);
}

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
  // The time of submission is of the sender's clock.
  const since = Math.min(status.submittedAt, status.startedAt) - SLACK_MS;
  const ranges = await rangesOf(kafka, status.replyTopic, undefined, since);
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
  await scanRanges(kafka, status.replyTopic, ranges ?? [], {
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
