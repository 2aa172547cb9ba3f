import type { Command } from 'commander';
import { estimatedEnd, type JobStatus } from '../../../cluster/jobs/job-status.js';
import type { Config } from '../../../core/config/config.js';
import { createLogger } from '../../../core/log.js';
import { JobClient, unknownJob } from '../../../operations/jobs/job-client.js';
import { invalidRequest, statedError } from '../../../schemas/errors.js';
import { kafkaFor } from '../../kafka.js';
import { CLUSTER, withOptions } from '../../options.js';
import { print, printJson, table } from '../../output.js';
import { stopSignal } from '../../signals.js';

export interface JobFlags {
  readonly json: boolean;
}

/** Adds a command with the options of its connection. */
export function add(parent: Command, usage: string, description: string): Command {
  return withOptions(parent.command(usage).description(description), CLUSTER).option(
    '--json',
    'print JSON',
    false,
  );
}

/** Runs `work` with a connected client of jobs and always closes it. @throws KafkaError, any error of `work` */
export async function withJobs<T>(config: Config, work: (client: JobClient) => Promise<T>): Promise<T> {
  const client = new JobClient(config, kafkaFor(config), createLogger('partitura', config.logLevel));
  try {
    await client.open();
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Returns the status of a job. @throws PartituraError INVALID_REQUEST if no coordinator knows it */
export function statusOf(client: JobClient, id: string): JobStatus {
  const status = client.jobs.get(id);
  if (status) return status;
  throw invalidRequest(unknownJob(id));
}

/** Formats jobs as a table. */
export function jobTable(jobs: readonly JobStatus[]): string {
  return table(['JOB', 'KIND', 'STATE', 'PARTS', 'REPEATED', 'TIME', 'ENDS IN', 'ERROR'], jobs.map(rowOf));
}

function rowOf(status: JobStatus): string[] {
  const { id, kind, state, parts, partsDone, partsRepeated, startedAt, finishedAt, error } = status;
  const now = Date.now();
  const end = estimatedEnd(status, now);
  return [
    id,
    kind,
    state,
    `${partsDone}/${parts ?? '?'}`,
    String(partsRepeated),
    startedAt === 0 ? '' : seconds((finishedAt ?? now) - startedAt),
    end === undefined ? '' : seconds(end - now),
    error ? `${error.code}: ${error.message}` : '',
  ];
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;
}

/** Prints each change of a job until it ends. @throws PartituraError with its failure */
export async function watch(client: JobClient, id: string, { json }: JobFlags): Promise<void> {
  const signal = stopSignal();
  let last = '';
  const status = await client.whenFinished(
    id,
    (changed) => {
      const line = progressOf(changed);
      if (line === last) return;
      last = line;
      if (json) printJson(changed);
      else print(line);
    },
    signal,
  );
  if (status?.error) throw statedError(status.error, 'PART_FAILED');
}

function progressOf(status: JobStatus): string {
  const [id, kind, state, parts, , time, end] = rowOf(status);
  const rest = end === '' ? '' : `, about ${end} left`;
  return time === ''
    ? `${id} ${kind} ${state}`
    : `${id} ${kind} ${state}: ${parts} parts after ${time}${rest}`;
}
