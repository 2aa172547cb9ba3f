import { PartituraError } from '../../schemas/errors.js';
import type { EngineResult, EngineTensor } from '../engine/engine.js';
import { isWholeJob, mergeSlices, RowCountError, splitResult, type Slice } from './batch.js';
import type { BatchClock } from './clock.js';
import type { BatchLimits } from './limits.js';
import type { RowTensor } from './rows.js';
import { watched, type BatchWatch } from './watch.js';

/** Computes one batch. */
export type RunBatch = (inputs: readonly EngineTensor[]) => Promise<EngineResult>;

/** The batcher, as the runner of its batches sees it. */
export interface RunnerOwner {
  readonly clock: BatchClock;
  readonly watch: BatchWatch | undefined;
  /** False once batching has been turned off. */
  isBatching(): boolean;
  /** Submits the jobs of these slices again, whole and each alone. */
  computeAlone(slices: readonly Slice[]): void;
  observe(computeMicros: number, rows: number): void;
}

/** Long enough to find a bad row by halving, short enough that a model that hangs does not do so for every row. */
const ISOLATION_LIMIT_MS = 10_000;

/** Reruns of a batch that failed because of another. */
const MOST_RERUNS = 5;

/** Suspects of a costly failure that are computed one by one, because each further halving costs one more failure. */
const FEW_SUSPECTS = 16;

/** One of the times that slices are computed. */
interface Attempt {
  /** Start of their batch's first computation. */
  readonly startedAt: number;
  /** True if they were in a batch whose failure has to be confirmed. */
  readonly suspected?: boolean;
  /** Computations that were repeated because of another batch. */
  readonly reruns?: number;
  /** True for a part of a failed batch that is being searched. */
  readonly isSearch?: boolean;
}

/**
 * Computes batches and gives each job its rows. A batch lost because another crashed its worker thread is rerun. One
 * that fails is halved until the job that fails is alone; all others are answered.
 */
export class BatchRunner {
  readonly #waitingForSearch: (() => void)[] = [];
  #searches = 0;

  constructor(
    readonly run: RunBatch,
    readonly limits: BatchLimits,
    readonly owner: RunnerOwner,
  ) {}

  /** True while a failed batch is searched for the job to blame. */
  get isSearching(): boolean {
    return this.#searches > 0;
  }

  process(slices: readonly Slice[]): Promise<void> {
    return this.#compute(slices, { startedAt: this.owner.clock.now() });
  }

  async #compute(slices: readonly Slice[], attempt: Attempt): Promise<void> {
    const { owner } = this;
    if (this.#mayBeMixed(slices)) return owner.computeAlone(slices);
    let result: EngineResult;
    let shares: RowTensor[][];
    try {
      result = await this.run(mergeSlices(slices));
      shares = splitResult(slices, result);
    } catch (error) {
      return this.#failed(slices, attempt, error);
    }
    const batchRows = countRows(slices);
    owner.observe(result.computeMicros, batchRows);
    if (this.#mayBeMixed(slices)) return owner.computeAlone(slices);
    if (owner.watch?.isDue() && !isWholeJob(slices)) owner.watch.take(watched(slices, shares));
    const times = { startedAt: attempt.startedAt, computeMicros: result.computeMicros, batchRows };
    slices.forEach((slice, index) => complete(slice, shares[index] ?? [], times));
  }

  /** Decides what follows a failure: the jobs alone, the same again, or a search for the job to blame. */
  async #failed(slices: readonly Slice[], attempt: Attempt, error: unknown): Promise<void> {
    const { startedAt, suspected = false, reruns = 0, isSearch = false } = attempt;
    if (error instanceof RowCountError) this.owner.watch?.refute(error.message);
    if (this.#mayBeMixed(slices)) return this.owner.computeAlone(slices);
    if (slices.length === 1 && !suspected && this.limits.needsConfirmation?.(error))
      return this.#compute(slices, { ...attempt, suspected: true });
    if (reruns === MOST_RERUNS || !isOfAnotherBatch(error)) return this.#isolate(slices, error, startedAt);
    // A search waits for its own parts.
    if (!isSearch) await this.#searchOver();
    return this.#compute(slices, { ...attempt, reruns: reruns + 1 });
  }

  /** True if batching was turned off while these slices, which share a batch or are cut, were in flight. */
  #mayBeMixed(slices: readonly Slice[]): boolean {
    return !this.owner.isBatching() && !isWholeJob(slices);
  }

  async #isolate(slices: readonly Slice[], error: unknown, startedAt: number): Promise<void> {
    const [first] = slices;
    if (first && slices.length === 1) return failSlice(first, error);
    const spentMs = this.owner.clock.now() - startedAt;
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

  /** Resolves when no failed batch is being searched: a batch that runs meanwhile could be lost with its parts. */
  #searchOver(): Promise<void> {
    if (this.#searches === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForSearch.push(resolve));
  }
}

/** Cuts a failed batch in halves; a few suspects of a costly failure each alone. */
function partsOf(slices: readonly Slice[], suspected: boolean): (readonly Slice[])[] {
  if (suspected && slices.length <= FEW_SUSPECTS) return slices.map((slice) => [slice]);
  const middle = Math.ceil(slices.length / 2);
  return [slices.slice(0, middle), slices.slice(middle)];
}

/** Recognizes the error of a batch that was queued behind one that crashed its worker thread: a retryable INTERNAL. */
function isOfAnotherBatch(error: unknown): boolean {
  return error instanceof PartituraError && error.code === 'INTERNAL' && error.retryable;
}

export function countRows(slices: readonly Slice[]): number {
  return slices.reduce((sum, slice) => sum + slice.rows, 0);
}

function complete(
  slice: Slice,
  outputs: readonly RowTensor[],
  { startedAt, computeMicros, batchRows }: { startedAt: number; computeMicros: number; batchRows: number },
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

/** Fails all jobs with a retryable error, because the one to blame is not known. */
function failTogether(slices: readonly Slice[], error: unknown, spentMs: number): void {
  const { message } = PartituraError.from(error);
  const shared = `a batch of ${slices.length} failed after ${Math.round(spentMs)} ms, too late to find the cause: ${message}`;
  for (const slice of slices) failSlice(slice, new PartituraError('INTERNAL', shared));
}
