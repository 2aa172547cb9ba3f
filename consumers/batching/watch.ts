import type { Slice } from './batch.js';
import type { RowTensor } from './rows.js';

/** An observer of batches that several jobs share, or that hold a part of one. */
export interface BatchWatch {
  /** Returns true if the next such batch should be passed to `take`. */
  isDue(): boolean;
  take(slices: readonly WatchedSlice[]): void;
  /** Called when nothing is queued or in flight. */
  idle(): void;
  /** Called when a batch itself has shown that rows depend on each other. */
  refute(reason: string): void;
}

/** A slice of a batch with its outputs; both are views, valid until `take` returns. */
export interface WatchedSlice {
  readonly inputs: readonly RowTensor[];
  readonly start: number;
  readonly rows: number;
  readonly outputs: readonly RowTensor[];
}

export function watched(slices: readonly Slice[], shares: readonly RowTensor[][]): WatchedSlice[] {
  return slices.map(({ progress, start, rows }, index) => ({
    inputs: progress.job.inputs,
    start,
    rows,
    outputs: shares[index] ?? [],
  }));
}
