import type { EngineResult, EngineTensor } from '../engine/engine.js';
import { joinRows, rowOffsets, sliceRows, type RowOffsets, type RowTensor } from './rows.js';

/** The error of an output with another number of rows than its batch: rows of the model depend on each other. */
export class RowCountError extends RangeError {
  constructor(output: string, rows: number, shape: readonly number[]) {
    super(`output '${output}': expected ${rows} rows, got shape [${shape.join(',')}]`);
  }
}

/** The end of a job that was cancelled before it was computed. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
}

/** One request in the batcher. */
export interface Job {
  /** Tensors in the order of the signature; the first dimension of each is `rows`, unless the job must be alone. */
  readonly inputs: readonly RowTensor[];
  readonly rows: number;
  /** Key of the jobs that may share a batch: same signature, datatypes and trailing shapes. */
  readonly laneKey: string;
  /** True for a job that is a batch of its own and not cut, however large: its inputs differ in rows. */
  readonly mustBeAlone: boolean;
  /** Milliseconds since the epoch; null for none. */
  readonly deadline: number | null;
  /** Arrival of the record, monotonic milliseconds. */
  readonly arrivedAt: number;
  /**
   * Time by which the job counts as having arrived earlier, milliseconds; negative for bulk work, which goes into idle
   * capacity. Default 0.
   */
  readonly headStartMs?: number;
  /** Returns true if nobody waits for the answer any more; asked when a batch takes the job. */
  isCancelled?(): boolean;
  /** Called once, unless `failed` is. */
  answered(answer: Answer): void;
  /** Called with a `CancelledError` for a job that was cancelled. */
  failed(error: unknown): void;
}

export interface Answer {
  readonly outputs: readonly RowTensor[];
  readonly queueMs: number;
  readonly computeMicros: number;
  /** Rows of the whole batch. */
  readonly batchRows: number;
}

/** Consecutive rows of one job: all of them, or a part of a job that is longer than a batch. */
export interface Slice {
  readonly progress: JobProgress;
  readonly start: number;
  readonly rows: number;
}

/** A job with the outputs that it has so far. */
export class JobProgress {
  rowsLeft: number;
  /** True once the job has failed, which is reported once. */
  failed = false;
  /** True once its slices are ignored because the job is computed again. */
  superseded = false;
  /** Outputs of a cut job by start row. */
  #parts: Map<number, readonly RowTensor[]> | undefined;
  /** Row offsets in each input of a cut job, computed once. */
  #offsets: (RowOffsets | undefined)[] | undefined;

  constructor(readonly job: Job) {
    this.rowsLeft = job.rows;
  }

  /** Adds the outputs of a slice. @returns those of the whole job, in order of rows, once all slices are complete */
  take({ start, rows }: Slice, outputs: readonly RowTensor[]): readonly RowTensor[] | undefined {
    this.rowsLeft -= rows;
    if (rows === this.job.rows) return outputs;
    this.#parts ??= new Map();
    this.#parts.set(start, outputs);
    return this.rowsLeft > 0 ? undefined : joinParts(this.#parts);
  }

  /** Returns the bytes of a slice in one of the job's inputs. */
  bytesOf({ start, rows }: Slice, index: number): Buffer {
    const input = this.job.inputs[index];
    if (!input) throw new RangeError(`a request of the batch lacks input ${index}`);
    if (rows === this.job.rows) return input.data;
    this.#offsets ??= [];
    const offsets = (this.#offsets[index] ??= rowOffsets(input));
    return sliceRows(input, offsets, start, rows).data;
  }
}

function joinParts(parts: ReadonlyMap<number, readonly RowTensor[]>): readonly RowTensor[] {
  const ordered = [...parts].sort(([a], [b]) => a - b).map(([, outputs]) => outputs);
  const [first = []] = ordered;
  return first.map((_, index) => joinRows(ordered.map((outputs) => outputs[index] as RowTensor)));
}

/**
 * Concatenates the rows of all slices in fresh buffers, which then belong to the engine: the only copy of a request's
 * tensor bytes.
 * @returns one tensor for each input of the signature
 */
export function mergeSlices(slices: readonly Slice[]): EngineTensor[] {
  const first = slices[0]?.progress.job.inputs ?? [];
  const rows = slices.reduce((sum, slice) => sum + slice.rows, 0);
  return first.map(({ name, datatype, shape }, index) => {
    const parts = slices.map((slice) => slice.progress.bytesOf(slice, index));
    const data = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let position = 0;
    for (const part of parts) {
      data.set(part, position);
      position += part.length;
    }
    return { name, datatype, shape: isWholeJob(slices) ? shape : [rows, ...shape.slice(1)], data };
  });
}

/** Returns true for a batch of one uncut job, whose tensors keep their shapes. */
export function isWholeJob([first, ...others]: readonly Slice[]): boolean {
  return first !== undefined && others.length === 0 && first.rows === first.progress.job.rows;
}

/**
 * Splits the outputs into the rows of each slice. A job that was alone in its batch gets the outputs unchanged.
 * @throws RowCountError if an output has another number of rows than the batch
 */
export function splitResult(slices: readonly Slice[], { outputs }: EngineResult): RowTensor[][] {
  const rows = slices.reduce((sum, slice) => sum + slice.rows, 0);
  const cutters = outputs.map((output) => cutter(output, rows, isWholeJob(slices)));
  let start = 0;
  return slices.map((slice) => {
    const own = cutters.map((cut) => cut(start, slice.rows));
    start += slice.rows;
    return own;
  });
}

function cutter(
  output: EngineTensor,
  rows: number,
  isWhole: boolean,
): (start: number, count: number) => RowTensor {
  const { name, datatype, shape, data: bytes } = output;
  const tensor = {
    name,
    datatype,
    shape,
    data: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  };
  if (isWhole) return () => tensor;
  if (shape[0] !== rows) throw new RowCountError(name, rows, shape);
  const offsets = rowOffsets(tensor);
  return (start, count) => sliceRows(tensor, offsets, start, count);
}
