export interface BatchLimits {
  /** Maximum rows of a batch; a longer job is cut. At least 1. */
  readonly maxBatchRows: number;
  /** Time that an idle engine waits for a batch to fill, milliseconds; 0 starts at once. */
  readonly maxBatchDelayMs: number;
  /** Batches that are computed concurrently. */
  readonly parallelism: number;
  /**
   * Once this many rows are queued, up to `parallelism` extra batches are queued in the engine, so that it never idles
   * between batches. Below that, rows stay here and may still be merged. Infinity disables it.
   */
  readonly prefetchRows: number;
  /** Time after its start in which a failed batch is searched for the job to blame, milliseconds. Default 10,000. */
  readonly isolationLimitMs?: number;
  /**
   * Decides which failures have to be seen twice, together and then alone, before a job is to blame: the first may
   * have had another cause. Default: none.
   */
  readonly needsConfirmation?: (error: unknown) => boolean;
  /** False for a model whose rows may depend on each other: every job is a batch of its own, and none is cut. */
  readonly batchable: boolean;
}
