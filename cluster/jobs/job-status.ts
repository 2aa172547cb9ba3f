import { z } from 'zod';
import type { KafkaRecord, OutgoingRecord } from '../../kafka/port.js';
import { parseState, stateRecord } from '../state-records.js';

/**
 * Status of split jobs on the compacted topic `<prefix>.jobs.status`, in JSON. The key of a status is the job's id, at its end
 * `<id>/end`; an order to cancel a job has the key `<id>/cancel`, so that coordinators and users do not overwrite each other.
 */
export const JOB_STATES = ['QUEUED', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** Kinds of jobs that come with Partitura; each other name is that of a task. */
export const JOB_KINDS = ['map', 'reduce', 'scan', 'matvec', 'matmul'] as const;

/** Task that computes on blocks of arrays, for all kinds but `map`. */
export const BLOCKS_TASK = '_blocks';

const time = z.number().int();
const jobStatus = z.object({
  id: z.string().min(1),
  kind: z.string(),
  state: z.enum(JOB_STATES),
  /** Host and process of the coordinator that runs or ran it. */
  coordinator: z.string().default(''),
  /** Coordinators that have begun it. */
  starts: z.number().int().default(0),
  /** Times are milliseconds since the epoch. */
  submittedAt: time.default(0),
  startedAt: time.default(0),
  updatedAt: time.default(0),
  /** Null while it runs. */
  finishedAt: time.nullable().default(null),
  /** Parts that nodes compute, over all passes; null if not known yet. */
  parts: z.number().int().nullable().default(null),
  partsDone: z.number().int().default(0),
  /** Parts that were sent a second time because the first took too long. */
  partsRepeated: z.number().int().default(0),
  /** Parts that are done, as ranges: `0-12,15`. */
  doneRanges: z.string().default(''),
  /** Parts of the result that have been delivered, from the first one on; a next coordinator continues after them. */
  resultParts: z.number().int().default(0),
  /** Length of the output file with these parts, bytes; 0 without an output file. */
  outputBytes: z.number().int().default(0),
  /** Topic that the result is delivered to. */
  replyTopic: z.string().default(''),
  output: z.string().nullable().default(null),
  error: z.object({ code: z.string(), message: z.string() }).nullable().default(null),
  /** Parts that could not be computed. */
  failedParts: z.array(z.number().int()).default([]),
});

export type JobStatus = z.output<typeof jobStatus>;

/** Returns the status of a job that was submitted and that no coordinator has begun. */
export function queuedStatus(id: string, kind: string, submittedAt: number): JobStatus {
  return jobStatus.parse({ id, kind, state: 'QUEUED', submittedAt, updatedAt: submittedAt });
}

const CANCEL = '/cancel';
/** The end has a key of its own and wins: a coordinator that was cut off may still report that it runs the job. */
const END = '/end';

/** Form of a job's id, which is part of keys and paths. */
export const JOB_ID = /^[A-Za-z0-9._-]{1,200}$/;

/** Returns true once the job will not change any more. */
export function isFinished({ state }: Pick<JobStatus, 'state'>): boolean {
  return state !== 'QUEUED' && state !== 'RUNNING';
}

/** Estimates when a running job ends, milliseconds since the epoch; undefined while that is unknown. */
export function estimatedEnd(
  { parts, partsDone, startedAt, state }: JobStatus,
  now: number,
): number | undefined {
  if (state !== 'RUNNING' || parts === null || partsDone === 0) return undefined;
  return Math.round(now + ((now - startedAt) / partsDone) * (parts - partsDone));
}

export function statusRecord(topic: string, status: JobStatus): OutgoingRecord {
  return stateRecord(topic, isFinished(status) ? `${status.id}${END}` : status.id, status);
}

/** Creates the order to cancel a job. */
export function cancelRecord(topic: string, id: string, requestedBy: string): OutgoingRecord {
  return stateRecord(topic, `${id}${CANCEL}`, { requestedBy });
}

/** The jobs that a status topic tells of. */
export interface KnownJobs {
  /** By id, in the order of their last change. */
  readonly statuses: ReadonlyMap<string, JobStatus>;
  /** Ids of jobs that are to be cancelled. */
  readonly cancelled: ReadonlySet<string>;
}

/** Reads the status in a record; undefined for other content. */
export function readStatus({ value }: KafkaRecord): JobStatus | undefined {
  return value === null ? undefined : jobStatus.safeParse(parseState(value)).data;
}

/**
 * Collects the jobs of a status topic; records in other forms are ignored.
 * @param read reads the status in a record; one that remembers it where the same records are collected again
 */
export function collectJobs(records: readonly KafkaRecord[], read = readStatus): KnownJobs {
  const statuses = new Map<string, JobStatus>();
  const cancelled = new Set<string>();
  for (const record of records) {
    const name = record.key?.toString() ?? '';
    if (record.value === null) continue;
    if (name.endsWith(CANCEL)) cancelled.add(name.slice(0, -CANCEL.length));
    const status = read(record);
    if (!status || (name !== status.id && name !== `${status.id}${END}`)) continue;
    const known = statuses.get(status.id);
    if (known && isFinished(known) && !isFinished(status)) continue;
    statuses.delete(status.id);
    statuses.set(status.id, status);
  }
  return { statuses, cancelled };
}
