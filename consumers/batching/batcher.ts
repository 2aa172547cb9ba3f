import { PartituraError } from '../../schemas/errors.js';
import { CancelledError, JobProgress, type Job, type Slice } from './batch.js';
import { BatchRunner, countRows, type RunBatch } from './batch-runner.js';
import { systemClock, type BatchClock } from './clock.js';
import { Lanes } from './lanes.js';
import type { BatchLimits } from './limits.js';
import { ServiceTime } from './service-time.js';
import type { BatchWatch } from './watch.js';

export interface BatcherOptions {
  readonly clock?: BatchClock;
  /** Called before each batch: a returned promise delays it until there is room for its results. */
  readonly whenBelowLimit?: () => Promise<void> | undefined;
  readonly watch?: BatchWatch | undefined;
}

/** A batch that was given to the engine. */
interface RunningBatch {
  readonly rows: number;
  /** Infinity while it waits in the engine behind another. */
  startedAt: number;
}

/**
 * Merges jobs into batches. A batch closes when the engine has room for it and it is full, or its oldest job has
 * waited `maxBatchDelayMs`. While the engine is busy, batches grow by themselves; nothing has to be tuned for that.
 * The queue is not bounded here: submitters bound what they submit.
 */
export class Batcher {
  readonly clock: BatchClock;
  readonly #runner: BatchRunner;
  readonly #serviceTime = new ServiceTime();
  readonly #lanes = new Lanes();
  readonly #drained: (() => void)[] = [];
  readonly #running = new Set<RunningBatch>();
  #scheduled = false;
  #filling = false;
  #held = false;
  #batches: boolean;

  constructor(
    readonly run: RunBatch,
    readonly limits: BatchLimits,
    readonly options: BatcherOptions = {},
  ) {
    this.clock = options.clock ?? systemClock;
    this.#batches = limits.batchable;
    this.#runner = new BatchRunner(run, limits, {
      clock: this.clock,
      watch: options.watch,
      isBatching: () => this.#batches,
      computeAlone: (slices) => this.#computeAlone(slices),
      observe: (computeMicros, rows) => this.#serviceTime.observe(computeMicros, rows),
    });
  }

  submit(job: Job): void {
    const { maxBatchRows } = this.limits;
    const isCut = this.#batches && !job.mustBeAlone && job.rows > maxBatchRows;
    if (isCut) this.#submitCut(job, maxBatchRows);
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
   * Computes every job alone and whole from now on, including those that are queued, cut or in flight: their batches
   * may have mixed rows that depend on each other.
   */
  stopBatching(): void {
    if (!this.#batches) return;
    this.#batches = false;
    this.#computeAlone(this.#lanes.takeAll());
  }

  #computeAlone(slices: readonly Slice[]): void {
    for (const { progress } of slices) {
      if (progress.failed || progress.superseded) continue;
      progress.superseded = true;
      this.#submitWhole(progress.job);
    }
    this.#schedule();
  }

  /** Engine time per row, microseconds; 0 before the first batch. */
  get microsPerRow(): number {
    return this.#serviceTime.microsPerRow;
  }

  /** Throughput of recent batches over all threads; 0 before the first batch. */
  get rowsPerSecond(): number {
    const { microsPerRow } = this.#serviceTime;
    return microsPerRow === 0 ? 0 : (this.limits.parallelism * 1e6) / microsPerRow;
  }

  /** Rows that wait for a batch or are being computed. */
  get pendingRows(): number {
    let rows = this.#lanes.rows;
    for (const batch of this.#running) rows += batch.rows;
    return rows;
  }

  /** Rows that the idle part of the engine would compute as efficiently as more; 0 while all of it computes. */
  get idleRows(): number {
    const { maxBatchRows, prefetchRows, parallelism } = this.limits;
    const free =
      (parallelism - this.#running.size) * (this.#batches ? Math.min(maxBatchRows, prefetchRows) : 1);
    return Math.max(0, free - this.#lanes.rows);
  }

  /** Returns how many more rows would start within this time, milliseconds, behind those that are pending. */
  rowsStartingWithin(ms: number): number {
    const { microsPerRow } = this.#serviceTime;
    const leftMs = ms - this.#pendingMs();
    if (microsPerRow === 0 || leftMs <= 0) return 0;
    return Math.ceil((leftMs * 1_000 * this.limits.parallelism) / microsPerRow);
  }

  /** Estimates the time until all pending rows are computed, milliseconds. */
  #pendingMs(): number {
    const { microsPerRow, microsPerBatch } = this.#serviceTime;
    const { parallelism } = this.limits;
    const now = this.clock.now();
    let pendingMs = (this.#lanes.rows * microsPerRow) / 1_000;
    for (const { startedAt } of this.#running)
      pendingMs += Math.max(0, microsPerBatch / 1_000 - Math.max(0, now - startedAt));
    return pendingMs / parallelism;
  }

  /**
   * Estimates how long a job that is submitted now waits for its batch to finish, milliseconds: full batches before
   * it, each as long as recent ones; bulk work does not count. A low estimate, because it decides which requests are refused.
   */
  get expectedWaitMs(): number {
    const { maxBatchRows, parallelism } = this.limits;
    const { ahead } = this.#lanes;
    const queued = this.#batches ? Math.floor(ahead.rows / maxBatchRows) : ahead.slices;
    const batches = queued + this.#running.size;
    return (batches * this.#serviceTime.microsPerBatch) / parallelism / 1_000;
  }

  /** Sets the service times that profiling has measured. */
  prime(microsPerRow: number, microsPerBatch: number): void {
    this.#serviceTime.prime(microsPerRow, microsPerBatch);
  }

  /** Resolves when nothing is queued or in flight. */
  drained(): Promise<void> {
    if (this.#isEmpty()) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  #isEmpty(): boolean {
    return this.#running.size === 0 && this.#lanes.rows === 0;
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
    this.options.watch?.idle();
  }

  #mayRunAnother(): boolean {
    const { parallelism, prefetchRows } = this.limits;
    const { rows } = this.#lanes;
    if (this.#running.size < parallelism) return rows > 0;
    if (this.#runner.isSearching || this.#running.size >= 2 * parallelism || rows < prefetchRows)
      return false;
    // Bulk work that is handed over early would be in front of requests that arrive meanwhile.
    return !(this.#lanes.oldest()?.isBulk ?? false);
  }

  #isHeldBack(): boolean {
    if (this.#held) return true;
    const limit = this.options.whenBelowLimit?.();
    if (!limit) return false;
    this.#held = true;
    void limit.then(() => {
      this.#held = false;
      this.#schedule();
    });
    return true;
  }

  /** Takes the next batch; undefined if none may close yet, empty if nobody waits for any of its jobs. */
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
    return taken.filter((slice) => this.#isWanted(slice));
  }

  #wakeAfter(ms: number): void {
    if (this.#filling) return;
    this.#filling = true;
    this.clock.after(ms, () => {
      this.#filling = false;
      this.#schedule();
    });
  }

  /** Fails a job that was cancelled, or whose deadline has passed, before its batch closed. */
  #isWanted({ progress }: Slice): boolean {
    const { job } = progress;
    if (progress.failed) return false;
    if (job.isCancelled?.()) {
      progress.failed = true;
      job.failed(new CancelledError('cancelled before it was computed'));
      return false;
    }
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
    const batch = { rows: countRows(slices), startedAt: Infinity };
    this.#running.add(batch);
    this.#noteStarts();
    try {
      await this.#runner.process(slices);
    } finally {
      this.#running.delete(batch);
      this.#noteStarts();
      this.#schedule();
    }
  }

  /** Notes the start of batches that the engine computes from now on; it takes them in order. */
  #noteStarts(): void {
    for (const batch of [...this.#running].slice(0, this.limits.parallelism))
      batch.startedAt = Math.min(batch.startedAt, this.clock.now());
  }
}
