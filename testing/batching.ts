/** Helpers shared by the batcher's tests. */
import assert from 'node:assert/strict';
import { decodeElements } from '../schemas/tensor.js';
import { HeldEngine, ManualClock, type JobResult } from './records.js';
import { Batcher } from '../consumers/batching/batcher.js';
import type { BatchLimits } from '../consumers/batching/limits.js';
import type { RowTensor } from '../consumers/batching/rows.js';

export const LIMITS: BatchLimits = {
  maxBatchRows: 4,
  maxBatchDelayMs: 0,
  parallelism: 1,
  prefetchRows: Infinity,
  batchable: true,
};

/** A batcher with a manual clock and an engine that the test controls. */
export interface Batching {
  readonly clock: ManualClock;
  readonly engine: HeldEngine;
  readonly batcher: Batcher;
  readonly rowsOfBatches: () => number[];
}

export function batching(limits: Partial<BatchLimits> = {}): Batching {
  const clock = new ManualClock();
  const engine = new HeldEngine();
  const batcher = new Batcher(engine.run, { ...LIMITS, ...limits }, { clock });
  const rowsOfBatches = (): number[] => engine.batches.map(({ rows }) => rows);
  return { clock, engine, batcher, rowsOfBatches };
}

export function elementsOf(tensor: Pick<RowTensor, 'datatype' | 'data'> | undefined): unknown {
  return tensor && decodeElements(tensor.datatype, tensor.data);
}

/** Returns the rows of a job that got exactly one answer. */
export function answerOf({ answers, errors }: JobResult): unknown {
  assert.deepEqual([answers.length, errors.length], [1, 0]);
  return elementsOf(answers[0]?.outputs[0]);
}

/** Returns the error of a job that failed exactly once, without an answer. */
export function errorOf({ answers, errors }: JobResult): { code?: string; message?: string } {
  assert.deepEqual([answers.length, errors.length], [0, 1]);
  return errors[0] as Error;
}
