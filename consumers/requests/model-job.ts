import { CancelledError, type Answer, type Job } from '../batching/batch.js';
import type { RowTensor } from '../batching/rows.js';
import type { ServedVersion } from '../models/served-version.js';
import type { ValidRequest } from '../models/validate.js';
import type { RunningJob } from '../records/record-job.js';

/** The work of a record that a model answers. */
export interface ModelWork {
  readonly version: ServedVersion;
  readonly valid: ValidRequest;
  /** Milliseconds since the epoch; null for none. */
  readonly deadline: number | null;
  /** See `Job`. Default 0. */
  readonly headStartMs?: number;
}

/**
 * Submits the work to the version's batcher. Suspects of a crash are computed in a child process, so that a repeated
 * crash does not end the node.
 * @param isCancelled decides, when a batch takes the work, if nobody waits for it any more
 */
export function startOnModel<W extends ModelWork>(
  work: W,
  job: RunningJob<W>,
  isSuspect: boolean,
  isCancelled: (work: W) => boolean = never,
): void {
  const { batcher, suspects } = work.version;
  (isSuspect ? suspects : batcher).submit(new ModelJob(work, job, isCancelled));
}

function never(): boolean {
  return false;
}

/** A record's work as the batcher sees it. */
class ModelJob<W extends ModelWork> implements Job {
  readonly inputs: readonly RowTensor[];
  readonly rows: number;
  readonly laneKey: string;
  readonly mustBeAlone: boolean;
  readonly deadline: number | null;
  readonly arrivedAt: number;
  readonly headStartMs: number;

  constructor(
    { valid, deadline, headStartMs = 0 }: ModelWork,
    readonly job: RunningJob<W>,
    readonly cancelled: (work: W) => boolean,
  ) {
    this.inputs = valid.inputs;
    this.rows = valid.rows;
    this.laneKey = valid.laneKey;
    this.mustBeAlone = valid.mustBeAlone;
    this.deadline = deadline;
    this.headStartMs = headStartMs;
    this.arrivedAt = job.arrivedAt;
  }

  isCancelled(): boolean {
    return this.cancelled(this.job.work);
  }

  answered(answer: Answer): void {
    this.job.work.version.counter.answered(this.rows, answer);
    this.job.answered(answer);
  }

  failed(cause: unknown): void {
    if (!(cause instanceof CancelledError))
      this.job.work.version.counter.failed(performance.now() - this.arrivedAt);
    this.job.failed(cause);
  }
}
