import { PartituraError } from '../../schemas/errors.js';
import type { EngineResult, EngineTensor } from '../engine/engine.js';
import {
  isWholeJob,
  mergeSlices,
  JobProgress,
  RowCountError,
  splitResult,
  type Job,
  type Slice,
} from './batch.js';
import { Lanes } from './lanes.js';
import type { RowTensor } from './rows.js';

/** Where batches are computed. */
export type RunBatch = (inputs: readonly EngineTensor[]) => Promise<EngineResult>;

export interface BatchLimits {
  /** Rows of one batch; a larger job is cut. At least 1. */
  readonly maxBatchRows: number;
  /** How long an idle engine lets a batch fill, milliseconds. 0: it never waits. */
  readonly maxBatchDelayMs: number;
  /** Batches that are computed at once. */
  readonly parallelism: number;
  /**
   * With so many rows waiting, as many batches more go to the engine and wait there: it has its next one when it is done
   * with the last. Fewer rows wait here, where more can join them. Infinity: no batch goes ahead.
   */
  readonly prefetchRows: number;
  /** How long after its start a failed batch is still searched for the job that fails, milliseconds. Default 10,000. */
  readonly isolationLimitMs?: number;
  /**
   * Failures that must be seen twice before a job is to blame, in company or alone: the first may have had another cause.
   * Default: none.
   */
  readonly needsConfirmation?: (error: unknown) => boolean;
  /** False for a model whose rows may depend on each other: every job is a batch of its own, and none is cut. */
  readonly batchable: boolean;
}

/** Sees batches that several jobs share, or that hold a part of one. */
export interface BatchWatch {
  /** Asked after each such batch; `take` is called if so. */
  isDue(): boolean;
  take(slices: readonly WatchedSlice[]): void;
  /** Called when nothing is queued or under way. */
  idle(): void;
  /** Called when a batch has shown by itself that rows depend on each other. */
  refute(reason: string): void;
}

/** A slice of a batch with its outputs, views that are read before `take` returns. */
export interface WatchedSlice {
  readonly inputs: readonly RowTensor[];
  readonly start: number;
  readonly rows: number;
  readonly outputs: readonly RowTensor[];
}

/** Time as the batcher sees it; tests bring their own. */
export interface BatchClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds since the epoch. */
  wallTime(): number;
  /** Runs `work` when the input at hand is read; what arrives in one go ends in one batch. */
  defer(work: () => void): void;
  after(ms: number, work: () => void): void;
}

export const systemClock: BatchClock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  defer: (work) => void setImmediate(work),
  after: (ms, work) => void setTimeout(work, ms),
};

/** Long enough to find a bad row by halving, too short to let a model that hangs do so again and again. */
const ISOLATION_LIMIT_MS = 10_000;

/** How often a batch is run again that failed because of another. */
const MOST_RERUNS = 5;

/** How much the newest batch counts in the service time. */
const EWMA_WEIGHT = 0.2;

/**
 * Gathers jobs into batches and gives each job its own rows back.
 *
 * A batch closes when the engine has room for it and it is full, or its oldest job has waited
 * `maxBatchDelayMs`. While the engine is busy batches grow on their own; there is nothing to tune for that.
 * A batch that was lost with another's thread is run again. One that fails is halved until the job is found that fails alone; all others are answered.
 * Whoever submits bounds how much is queued.
 */
export class Batcher {
  readonly #lanes = new Lanes();
  readonly #drained: (() => void)[] = [];
  readonly #waitingForSearch: (() => void)[] = [];
  #searches = 0;
  #running = 0;
  #scheduled = false;
  #filling = false;
  #held = false;
  #batches: boolean;
  #microsPerRow = 0;
  #microsPerBatch = 0;

  constructor(
    readonly run: RunBatch,
    readonly limits: BatchLimits,
    readonly clock: BatchClock = systemClock,
    /** Asked before each batch: a promise holds it back until there is room for its results. */
    readonly whenBelowLimit: () => Promise<void> | undefined = () => undefined,
    readonly watch: BatchWatch | undefined = undefined,
  ) {
    this.#batches = limits.batchable;
  }

  submit(job: Job): void {
    const { maxBatchRows } = this.limits;
    if (this.#batches && !job.mustBeAlone && job.rows > maxBatchRows) this.#submitCut(job, maxBatchRows);
    else this.#submitWhole(job);
    this.#schedule();
  }

  #submitWhole(job: Job): void {
    this.#lanes.add({ progress: new JobProgress(job), start: 0, rows: job.rows });
  }

  #submitCut(job: Job, step: number): void {
    const progress = new JobProgress(job);
    for (let start = 0; start < job.rows; start += step) {
      this.#lanes.add({ progress, start, rows: Math.min(step, job.rows - start) });
    }
  }

  /**
   * Computes every job alone and whole from now on, including those that are queued, cut or under way: their batches may
   * have mixed rows that depend on each other.
   */
  stopBatching(): void {
    if (!this.#batches) return;
    this.#batches = false;
    this.#computeAlone(this.#lanes.takeAll());
  }

  /** Submits the jobs of slices again, whole and each once. */
  #computeAlone(slices: readonly Slice[]): void {
    for (const { progress } of slices) {
      if (progress.failed || progress.superseded) continue;
      progress.superseded = true;
      this.#submitWhole(progress.job);
    }
    this.#schedule();
  }

  /** Engine time per row, microseconds, exponentially weighted; 0 before the first batch. */
  get microsPerRow(): number {
    return this.#microsPerRow;
  }

  /**
   * How long a job that is submitted now will at least wait for its batch to be done, milliseconds: full
   * batches before it, each as long as recent ones. Rather too short than too long, for it decides refusals.
   */
  get expectedWaitMs(): number {
    const { maxBatchRows, parallelism } = this.limits;
    const queued = this.#batches ? Math.floor(this.#lanes.rows / maxBatchRows) : this.#lanes.slices;
    const batches = queued + this.#running;
    return (batches * this.#microsPerBatch) / parallelism / 1_000;
  }

  /** Resolves when nothing is queued or under way. */
  drained(): Promise<void> {
    if (this.#isEmpty()) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  #isEmpty(): boolean {
    return this.#running === 0 && this.#lanes.rows === 0;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.clock.defer(() => {
      this.#scheduled = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (this.#mayRunAnother()) {
      if (this.#isHeldBack()) break;
      const closed = this.#closeBatch();
      if (!closed) break;
      if (closed.length > 0) void this.#process(closed);
    }
    if (!this.#isEmpty()) return;
    for (const resolve of this.#drained.splice(0)) resolve();
    this.watch?.idle();
  }

  #mayRunAnother(): boolean {
    const { parallelism, prefetchRows } = this.limits;
    const { rows } = this.#lanes;
    if (this.#running < parallelism) return rows > 0;
    return this.#searches === 0 && this.#running < 2 * parallelism && rows >= prefetchRows;
  }

  #isHeldBack(): boolean {
    if (this.#held) return true;
    const room = this.whenBelowLimit();
    if (!room) return false;
    this.#held = true;
    void room.then(() => {
      this.#held = false;
      this.#schedule();
    });
    return true;
  }

  /** The next batch; undefined when none may close yet; empty when all of it was expired. */
  #closeBatch(): Slice[] | undefined {
    const { maxBatchRows, maxBatchDelayMs } = this.limits;
    const oldest = this.#lanes.oldest();
    if (!oldest) return undefined;
    const waitMs = this.#batches ? oldest.headArrivedAt + maxBatchDelayMs - this.clock.now() : 0;
    const lane = waitMs > 0 ? this.#lanes.oldest(maxBatchRows) : oldest;
    if (!lane) {
      this.#wakeAfter(Math.ceil(waitMs));
      return undefined;
    }
    const taken = this.#batches ? this.#lanes.take(lane, maxBatchRows) : this.#lanes.takeOne(lane);
    return taken.filter((slice) => this.#isTimely(slice));
  }

  #wakeAfter(ms: number): void {
    if (this.#filling) return;
    this.#filling = true;
    this.clock.after(ms, () => {
      this.#filling = false;
      this.#schedule();
    });
  }

  #isTimely({ progress }: Slice): boolean {
    const { job } = progress;
    if (progress.failed) return false;
    if (job.deadline === null || this.clock.wallTime() <= job.deadline) return true;
    progress.failed = true;
    job.failed(
      new PartituraError(
        'DEADLINE_EXCEEDED',
        `deadline ${new Date(job.deadline).toISOString()} passed before the batch closed`,
      ),
    );
    return false;
  }

  async #process(slices: Slice[]): Promise<void> {
    this.#running++;
    try {
      await this.#compute(slices, { startedAt: this.clock.now() });
    } finally {
      this.#running--;
      this.#schedule();
    }
  }

  async #compute(slices: readonly Slice[], attempt: Attempt): Promise<void> {
    const { startedAt, suspected = false, reruns = 0, isSearch = false } = attempt;
    const rows = countRows(slices);
    if (this.#mayBeMixed(slices)) return this.#computeAlone(slices);
    let result: EngineResult;
    let shares: RowTensor[][];
    try {
      result = await this.run(mergeSlices(slices));
      shares = splitResult(slices, result);
    } catch (error) {
      if (error instanceof RowCountError) this.watch?.refute(error.message);
      if (this.#mayBeMixed(slices)) return this.#computeAlone(slices);
      if (slices.length === 1 && !suspected && this.limits.needsConfirmation?.(error))
        return this.#compute(slices, { ...attempt, suspected: true });
      if (reruns === MOST_RERUNS || !isOfAnotherBatch(error)) return this.#isolate(slices, error, startedAt);
      // A search waits for its own parts.
      if (!isSearch) await this.#searchOver();
      return this.#compute(slices, { ...attempt, reruns: reruns + 1 });
    }
    this.observe(result.computeMicros, rows);
    if (this.#mayBeMixed(slices)) return this.#computeAlone(slices);
    if (this.watch?.isDue() && !isWholeJob(slices)) this.watch.take(watched(slices, shares));
    slices.forEach((slice, index) =>
      complete(slice, shares[index] ?? [], startedAt, result.computeMicros, rows),
    );
  }

  /** Tells if batching was turned off while these slices, which share a batch or are cut, were under way. */
  #mayBeMixed(slices: readonly Slice[]): boolean {
    return !this.#batches && !isWholeJob(slices);
  }

  async #isolate(slices: readonly Slice[], error: unknown, startedAt: number): Promise<void> {
    const [first] = slices;
    if (first && slices.length === 1) return failSlice(first, error);
    const spentMs = this.clock.now() - startedAt;
    if (spentMs > (this.limits.isolationLimitMs ?? ISOLATION_LIMIT_MS))
      return failTogether(slices, error, spentMs);
    const suspected = this.limits.needsConfirmation?.(error) ?? false;
    this.#searches++;
    try {
      for (const part of partsOf(slices, suspected))
        await this.#compute(part, { startedAt, suspected, isSearch: true });
    } finally {
      this.#searches--;
      if (this.#searches === 0) for (const resolve of this.#waitingForSearch.splice(0)) resolve();
    }
  }

  /** Resolves when no failed batch is being searched: what runs meanwhile could be lost with its slices. */
  #searchOver(): Promise<void> {
    if (this.#searches === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForSearch.push(resolve));
  }

  /**
   * Says what is known of the model before its first batch, in microseconds.
   * @param microsPerBatch of the shortest batch there may be: the expected wait must not be too long
   */
  prime(microsPerRow: number, microsPerBatch: number): void {
    this.#microsPerRow = microsPerRow;
    this.#microsPerBatch = microsPerBatch;
  }

  /** Takes note of how long a batch took. */
  observe(computeMicros: number, rows: number): void {
    this.#microsPerRow = average(this.#microsPerRow, computeMicros / Math.max(1, rows));
    this.#microsPerBatch = average(this.#microsPerBatch, computeMicros);
  }
}

/** One of the times that slices are computed. */
interface Attempt {
  /** When their batch was computed first. */
  readonly startedAt: number;
  /** True when they were in a batch whose failure needs to be confirmed. */
  readonly suspected?: boolean;
  /** How often they were computed again because of another batch. */
  readonly reruns?: number;
  /** True for a part of a failed batch that is being searched. */
  readonly isSearch?: boolean;
}

/** Jobs that are computed one by one when a failure of them together is costly: each further halving costs one more. */
const FEW_SUSPECTS = 16;

/** Cuts a failed batch in halves; few suspects of a costly failure each alone. */
function partsOf(slices: readonly Slice[], suspected: boolean): (readonly Slice[])[] {
  if (suspected && slices.length <= FEW_SUSPECTS) return slices.map((slice) => [slice]);
  const middle = Math.ceil(slices.length / 2);
  return [slices.slice(0, middle), slices.slice(middle)];
}

/** A batch that waited behind one that took its thread along says so by a retryable INTERNAL. */
function isOfAnotherBatch(error: unknown): boolean {
  return error instanceof PartituraError && error.code === 'INTERNAL' && error.retryable;
}

function average(known: number, newest: number): number {
  return known === 0 ? newest : known + EWMA_WEIGHT * (newest - known);
}

function watched(slices: readonly Slice[], shares: readonly RowTensor[][]): WatchedSlice[] {
  return slices.map(({ progress, start, rows }, index) => ({
    inputs: progress.job.inputs,
    start,
    rows,
    outputs: shares[index] ?? [],
  }));
}

function countRows(slices: readonly Slice[]): number {
  return slices.reduce((sum, slice) => sum + slice.rows, 0);
}

function complete(
  slice: Slice,
  outputs: readonly RowTensor[],
  startedAt: number,
  computeMicros: number,
  batchRows: number,
): void {
  const { progress } = slice;
  if (progress.failed || progress.superseded) return;
  const whole = progress.take(slice, outputs);
  if (!whole) return;
  const { job } = progress;
  job.answered({ outputs: whole, queueMs: startedAt - job.arrivedAt, computeMicros, batchRows });
}

function failSlice({ progress }: Slice, error: unknown): void {
  if (progress.failed) return;
  progress.failed = true;
  progress.job.failed(error);
}

/** Which of them is to blame is not known, so all may come again. */
function failTogether(slices: readonly Slice[], error: unknown, spentMs: number): void {
  const { message } = PartituraError.from(error);
  const shared = `a batch of ${slices.length} failed after ${Math.round(spentMs)} ms, too late to find the cause: ${message}`;
  for (const slice of slices) failSlice(slice, new PartituraError('INTERNAL', shared));
}
