import { fileURLToPath } from 'node:url';
import type { JobStatus } from '../../cluster/jobs/job-status.js';
import type { JobClient, JobSubmission } from '../../operations/jobs/job-client.js';
import { readResult } from '../../operations/jobs/job-result.js';
import type { Tensor } from '../../schemas/generated.js';
import type { Harness } from './harness.js';

export const TASKS = fileURLToPath(new URL('../../../integration-tests/fixtures/tasks', import.meta.url));

/** Submits a job and waits for its end. @throws Error if it takes longer than `limitMs` */
export async function finished(
  client: JobClient,
  job: JobSubmission,
  onChange: (status: JobStatus) => void = () => undefined,
  limitMs = 60_000,
): Promise<JobStatus> {
  const id = await client.submit(job);
  const status = await client.whenFinished(id, onChange, AbortSignal.timeout(limitMs));
  if (!status?.finishedAt)
    throw new Error(`job ${id} did not end within ${limitMs} ms: ${JSON.stringify(status)}`);
  return status;
}

/** Reads all parts of a job's result. */
export async function partsOf(harness: Harness, status: JobStatus): Promise<(readonly Tensor[])[]> {
  const parts: (readonly Tensor[])[] = [];
  await readResult(harness.kafka, harness.config(), status, (outputs) => {
    parts.push(outputs);
    return Promise.resolve();
  });
  return parts;
}

/** Returns an FP64 tensor. */
export function doubles(name: string, shape: readonly number[], data: readonly number[]): Tensor {
  return { name, datatype: 'FP64', shape: [...shape], data: Buffer.from(new Float64Array(data).buffer) };
}
