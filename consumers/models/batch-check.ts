import { PartituraError } from '../../schemas/errors.js';
import type { BatchWatch, WatchedSlice } from '../batching/watch.js';
import { joinRows, rowOffsets, sliceRows, type RowTensor } from '../batching/rows.js';
import type { LoadedModel } from '../engine/engine.js';
import { ComparedOutput } from './batch-proof/compare.js';

/** Result of a check; `failed` if a row could not be computed alone. */
export type CheckResult = 'equal' | 'different' | 'failed';

export interface BatchCheckOptions {
  /** Minimum interval between checks, milliseconds. */
  readonly intervalMs: number;
  /** Called with the result of each check, and the reason if it found a difference or failed. */
  readonly onResult: (result: CheckResult, reason: string | undefined) => void;
  readonly now?: () => number;
}

/** Maximum rows of one check, from different requests if possible. */
const MAX_ROWS = 8;
/** Number of samples after which a check no longer waits for the engine to be idle, since a loaded engine may never be. */
const PATIENCE = 4;
/** Maximum size of a sample. */
const MAX_BYTES = 4 * 2 ** 20;
/** Maximum rows per output that are recomputed in batches of copies. */
const MAX_COPIED_ROWS = 2;
/** Maximum input size of a batch of copies. */
const MAX_BYTES_OF_COPIES = 32 * 2 ** 20;

/** The place of a row in a batch. */
interface BatchPlace {
  readonly position: number;
  /** Rows of the batch. */
  readonly batchRows: number;
}

/** One row of a batch, copied. */
interface SampledRow extends BatchPlace {
  readonly inputs: readonly RowTensor[];
  readonly outputs: readonly RowTensor[];
}

/** A part of a split request, with the inputs of the whole request. */
interface SampledSplit extends BatchPlace {
  readonly inputs: readonly RowTensor[];
  readonly outputs: readonly RowTensor[];
  /** First row of the part in the request. */
  readonly start: number;
}

/** Similarity of a row's outputs in a batch and alone; `near` may be amplified rounding. */
type Similarity = 'equal' | 'near' | 'different';

interface Sample {
  readonly rows: readonly SampledRow[];
  readonly split: SampledSplit | undefined;
}

/**
 * Live check of batching. While the engine is idle, it recomputes a few rows of a real batch one by one, and a split request
 * as a whole: the batching proof used random values, which may differ from real ones. A request without a check costs one
 * comparison of numbers.
 */
export class BatchCheck implements BatchWatch {
  #nextAt = 0;
  /** Number of samples taken since the last check. */
  #waiting = 0;
  #sample: Sample | undefined;
  #isChecking = false;
  #isOver = false;
  readonly #now: () => number;

  constructor(
    readonly run: LoadedModel['run'],
    readonly options: BatchCheckOptions,
  ) {
    this.#now = options.now ?? (() => performance.now());
  }

  isDue(): boolean {
    return this.#now() >= this.#nextAt && !this.#isOver && !this.#isChecking;
  }

  take(slices: readonly WatchedSlice[]): void {
    this.#nextAt = this.#now() + this.options.intervalMs;
    this.#sample = { rows: sampleRows(slices), split: sampleSplit(slices) };
    this.#waiting++;
    if (this.#waiting > PATIENCE) this.idle();
  }

  idle(): void {
    const sample = this.#sample;
    if (!sample || this.#isChecking) return;
    this.#isChecking = true;
    this.#waiting = 0;
    this.#sample = undefined;
    void this.#check(sample).finally(() => (this.#isChecking = false));
  }

  refute(reason: string): void {
    this.#report('different', reason);
  }

  /** Stops checking. */
  end(): void {
    this.#isOver = true;
    this.#sample = undefined;
  }

  async #check({ rows, split }: Sample): Promise<void> {
    try {
      const reason = (await this.#checkRows(rows)) ?? (split && (await this.#checkSplit(split)));
      this.#report(reason === undefined ? 'equal' : 'different', reason);
    } catch (cause) {
      const { code, message } = PartituraError.from(cause);
      // A row that succeeds in a batch and fails alone depends on the other rows.
      if (code === 'MODEL_FAILED')
        this.#report('different', `a row of a batch fails when computed alone: ${message}`);
      else this.#report('failed', message);
    }
  }

  async #checkRows(rows: readonly SampledRow[]): Promise<string | undefined> {
    const alone: ComparedOutput[][] = [];
    for (const { inputs } of rows) alone.push(await this.#compute(inputs));
    for (const [index, { name }] of (rows[0]?.outputs ?? []).entries()) {
      const similarities = similarityOfRows(rows, alone, index);
      const near = rows.filter((_, row) => similarities[row] === 'near').slice(0, MAX_COPIED_ROWS);
      const isRounding = async (row: SampledRow): Promise<boolean> =>
        this.#isSameAmongCopies(row.inputs, row, { answer: outputOf(row, index), row: 0 }, index);
      if (similarities.includes('different') || !(await everySequentially(near, isRounding)))
        return `output '${name}' of a row differs when computed alone`;
    }
    return undefined;
  }

  async #checkSplit(split: SampledSplit): Promise<string | undefined> {
    const { inputs, start, position, batchRows } = split;
    const whole = await this.#compute(inputs);
    for (const [index, { name }] of split.outputs.entries()) {
      const part = outputOf(split, index);
      const reference = whole[index];
      const similarities = similarityOfPart(part, reference, start);
      const near = [...similarities.keys()].filter((row) => similarities[row] === 'near');
      const isRounding = async (row: number): Promise<boolean> => {
        const copied = inputs.map((input) => copyOf(input, start + row));
        const inWhole = { position: start + row, batchRows: reference?.rows ?? 0 };
        return (
          (await this.#isSameAmongCopies(copied, inWhole, { answer: reference, row: start + row }, index)) &&
          (await this.#isSameAmongCopies(
            copied,
            { position: position + row, batchRows },
            { answer: part, row },
            index,
          ))
        );
      };
      if (
        similarities.includes('different') ||
        !(await everySequentially(near.slice(0, MAX_COPIED_ROWS), isRounding))
      )
        return `output '${name}' of a split request differs from that of the whole request`;
    }
    return undefined;
  }

  /**
   * True if a row has bitwise the same output at the same position in a batch of copies of itself, so that the other rows do
   * not affect it.
   * @throws PartituraError INTERNAL if such a batch would be too large
   */
  async #isSameAmongCopies(
    inputs: readonly RowTensor[],
    { position, batchRows }: BatchPlace,
    { answer, row }: OutputRow,
    index: number,
  ): Promise<boolean> {
    if (batchRows * bytesOf(inputs) > MAX_BYTES_OF_COPIES)
      throw new PartituraError('INTERNAL', 'the batch is too large to recompute');
    const copies = inputs.map((input) => joinRows(Array<RowTensor>(batchRows).fill(input)));
    const computed = (await this.#compute(copies))[index];
    return answer !== undefined && computed?.hasSameBytes(position, answer, row) === true;
  }

  #report(result: CheckResult, reason: string | undefined): void {
    if (!this.#isOver) this.options.onResult(result, reason);
  }

  async #compute(inputs: readonly RowTensor[]): Promise<ComparedOutput[]> {
    const { outputs } = await this.run(
      inputs.map((input) => ({ ...input, data: new Uint8Array(input.data) })),
    );
    return outputs.map((output) => new ComparedOutput({ ...output, data: Buffer.from(output.data) }));
  }
}

/** Copies a row of each slice, starting with the last slice, where a dependency on preceding rows would show. */
function sampleRows(slices: readonly WatchedSlice[]): SampledRow[] {
  const batchRows = countRows(slices);
  const rows: SampledRow[] = [];
  let bytes = 0;
  for (const { slice, position, row } of places(slices)) {
    const inputs = slice.inputs.map((input) => copyOf(input, slice.start + row));
    const outputs = slice.outputs.map((output) => copyOf(output, row));
    bytes += bytesOf(inputs) + bytesOf(outputs);
    if (rows.length > 0 && bytes > MAX_BYTES) break;
    rows.push({ inputs, outputs, position: position + row, batchRows });
  }
  return rows;
}

/** Copies the last part of a split request, unless the request is too large. */
function sampleSplit(slices: readonly WatchedSlice[]): SampledSplit | undefined {
  const last = slices.findLastIndex(({ inputs, rows }) => rows < (inputs[0]?.shape[0] ?? 0));
  const slice = slices[last];
  if (!slice || bytesOf(slice.inputs) > MAX_BYTES) return undefined;
  const copy = (tensor: RowTensor): RowTensor => ({ ...tensor, data: Buffer.from(tensor.data) });
  return {
    inputs: slice.inputs.map(copy),
    outputs: slice.outputs.map(copy),
    start: slice.start,
    position: countRows(slices.slice(0, last)),
    batchRows: countRows(slices),
  };
}

function countRows(slices: readonly WatchedSlice[]): number {
  return slices.reduce((sum, { rows }) => sum + rows, 0);
}

function bytesOf(tensors: readonly RowTensor[]): number {
  return tensors.reduce((sum, { data }) => sum + data.length, 0);
}

interface Place {
  readonly slice: WatchedSlice;
  /** Position of the slice in the batch. */
  readonly position: number;
  /** Row within the slice. */
  readonly row: number;
}

/** Lists the last row of each slice, then the first row of each slice with several rows. */
function places(slices: readonly WatchedSlice[]): Place[] {
  let end = 0;
  const last = slices.map((slice): Place => {
    end += slice.rows;
    return { slice, position: end - slice.rows, row: slice.rows - 1 };
  });
  const filled = last.filter(({ row }) => row >= 0).reverse();
  const first = filled.filter(({ row }) => row > 0).map((place) => ({ ...place, row: 0 }));
  return [...filled, ...first].slice(0, MAX_ROWS);
}

function copyOf(tensor: RowTensor, row: number): RowTensor {
  const { name, datatype, shape, data } = sliceRows(tensor, rowOffsets(tensor), row, 1);
  return { name, datatype, shape, data: Buffer.from(data) };
}

function outputOf({ outputs }: SampledRow | SampledSplit, index: number): ComparedOutput | undefined {
  const output = outputs[index];
  return output && new ComparedOutput(output);
}

/** Compares one output of each row with that of the row alone. */
function similarityOfRows(
  rows: readonly SampledRow[],
  alone: readonly ComparedOutput[][],
  index: number,
): Similarity[] {
  const references = alone.map((outputs) => outputs[index]);
  const typical = median(references.map((output) => output?.magnitude(0) ?? 0));
  return rows.map((row, place) => {
    const reference = references[place];
    return reference?.rows === 1
      ? similarityOf({ answer: reference, row: 0 }, { answer: outputOf(row, index), row: 0 }, typical)
      : 'different';
  });
}

/** Compares the rows of a part with those of the whole, starting at `start`. */
function similarityOfPart(
  part: ComparedOutput | undefined,
  whole: ComparedOutput | undefined,
  start: number,
): Similarity[] {
  const rows = Array.from({ length: part?.rows ?? 0 }, (_, row) => row);
  if (!whole || start + rows.length > (whole.rows ?? 0)) return ['different'];
  const typical = median(rows.map((row) => whole.magnitude(start + row)));
  return rows.map((row) => similarityOf({ answer: whole, row: start + row }, { answer: part, row }, typical));
}

/** One row of an output. */
interface OutputRow {
  readonly answer: ComparedOutput | undefined;
  readonly row: number;
}

function similarityOf(reference: OutputRow, other: OutputRow, typical: number): Similarity {
  const { answer, row } = reference;
  if (!answer || !other.answer || !answer.hasSameRowShape(other.answer)) return 'different';
  if (answer.matches(row, other.answer, other.row, typical)) return 'equal';
  return answer.isNear(row, other.answer, other.row, typical) ? 'near' : 'different';
}

/** Returns the median: rows with small values are rounded like the others. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

async function everySequentially<T>(
  items: readonly T[],
  test: (item: T) => Promise<boolean>,
): Promise<boolean> {
  for (const item of items) if (!(await test(item))) return false;
  return true;
}
