import { PartituraError } from '../../schemas/errors.js';
import type { BatchWatch, WatchedSlice } from '../batching/batcher.js';
import { rowOffsets, sliceRows, type RowTensor } from '../batching/rows.js';
import type { LoadedModel } from '../engine/engine.js';
import { ComparedOutput } from './batch-proof/compare.js';

/** The result of one check; `failed` where a row could not be computed alone. */
export type CheckResult = 'equal' | 'different' | 'failed';

export interface BatchCheckOptions {
  /** At most one batch per interval is checked, milliseconds. */
  readonly intervalMs: number;
  /** Called with the result of each check, and the reason where it found a difference or failed. */
  readonly onResult: (result: CheckResult, reason: string | undefined) => void;
  readonly now?: () => number;
}

/** Rows of one check, each of a request of its own where there are as many. */
const MOST_ROWS = 8;
/** Intervals without an idle moment after which a check no longer waits for one: an engine under load may never be idle. */
const PATIENCE = 4;
const MOST_BYTES = 4 * 2 ** 20;

/** One row of a batch, copied. */
interface SampledRow {
  readonly inputs: readonly RowTensor[];
  readonly outputs: readonly RowTensor[];
}

/** A part of a request that was cut, and the whole request. */
interface SampledCut {
  readonly inputs: readonly RowTensor[];
  readonly outputs: readonly RowTensor[];
  /** Where the part begins. */
  readonly start: number;
}

interface Sample {
  readonly rows: readonly SampledRow[];
  readonly cut: SampledCut | undefined;
}

/**
 * Computes a few rows of a real batch again, each alone, and a request that was cut again whole, while the engine is idle: batching was proven with random
 * values, and callers may send others. Costs the path of a request one comparison of numbers.
 */
export class BatchCheck implements BatchWatch {
  #nextAt = 0;
  /** Samples taken since the last check. */
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
    this.#sample = { rows: sampleRows(slices), cut: sampleCut(slices) };
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

  /** Checks no more. */
  end(): void {
    this.#isOver = true;
    this.#sample = undefined;
  }

  async #check({ rows, cut }: Sample): Promise<void> {
    try {
      const reason = (await this.#checkRows(rows)) ?? (cut && (await this.#checkCut(cut)));
      this.#report(reason === undefined ? 'equal' : 'different', reason);
    } catch (cause) {
      const { code, message } = PartituraError.from(cause);
      // What was answered in company and is refused alone was not answered for itself.
      if (code === 'MODEL_FAILED') this.#report('different', `a row of a batch fails alone: ${message}`);
      else this.#report('failed', message);
    }
  }

  async #checkRows(rows: readonly SampledRow[]): Promise<string | undefined> {
    const alone: ComparedOutput[][] = [];
    for (const { inputs } of rows) alone.push(await this.#runAlone(inputs));
    const name = firstDifference(rows, alone);
    return name && `output '${name}' of a row differs from its batch`;
  }

  async #checkCut({ inputs, outputs, start }: SampledCut): Promise<string | undefined> {
    const whole = await this.#runAlone(inputs);
    const differs = outputs.find((output, index) => {
      const reference = whole[index];
      return !reference || !isPartOf(new ComparedOutput(output), reference, start);
    });
    return differs && `output '${differs.name}' of a request that was cut differs from the whole`;
  }

  #report(result: CheckResult, reason: string | undefined): void {
    if (!this.#isOver) this.options.onResult(result, reason);
  }

  async #runAlone(inputs: readonly RowTensor[]): Promise<ComparedOutput[]> {
    const { outputs } = await this.run(
      inputs.map((input) => ({ ...input, data: new Uint8Array(input.data) })),
    );
    return outputs.map((output) => new ComparedOutput({ ...output, data: Buffer.from(output.data) }));
  }
}

/** Copies a row of each slice, from the last slice on: what depends on the rows before it shows there. */
function sampleRows(slices: readonly WatchedSlice[]): SampledRow[] {
  const rows: SampledRow[] = [];
  let bytes = 0;
  for (const place of places(slices)) {
    const row = copyRow(place);
    bytes += [...row.inputs, ...row.outputs].reduce((sum, { data }) => sum + data.length, 0);
    if (rows.length > 0 && bytes > MOST_BYTES) break;
    rows.push(row);
  }
  return rows;
}

/** Copies the last part of a request that was cut, unless the request is too large. */
function sampleCut(slices: readonly WatchedSlice[]): SampledCut | undefined {
  const slice = slices.findLast(({ inputs, rows }) => rows < (inputs[0]?.shape[0] ?? 0));
  const bytes = slice?.inputs.reduce((sum, { data }) => sum + data.length, 0) ?? 0;
  if (!slice || bytes > MOST_BYTES) return undefined;
  const copy = (tensor: RowTensor): RowTensor => ({ ...tensor, data: Buffer.from(tensor.data) });
  return { inputs: slice.inputs.map(copy), outputs: slice.outputs.map(copy), start: slice.start };
}

/** Tells whether the rows of a part are those of the whole from `start` on. */
function isPartOf(part: ComparedOutput, whole: ComparedOutput, start: number): boolean {
  const { rows = 0 } = part;
  if (start + rows > (whole.rows ?? 0) || !whole.hasRowsLike(part)) return false;
  const rowsOfPart = Array.from({ length: rows }, (_, row) => row);
  const typical = median(rowsOfPart.map((row) => whole.magnitude(start + row)));
  return rowsOfPart.every((row) => whole.matches(start + row, part, row, typical));
}

interface Place {
  readonly slice: WatchedSlice;
  /** Within the slice. */
  readonly row: number;
}

/** The last row of each slice, then the first of each that has several. */
function places(slices: readonly WatchedSlice[]): Place[] {
  const filled = slices.filter(({ rows }) => rows > 0).reverse();
  const last = filled.map((slice) => ({ slice, row: slice.rows - 1 }));
  const first = filled.filter(({ rows }) => rows > 1).map((slice) => ({ slice, row: 0 }));
  return [...last, ...first].slice(0, MOST_ROWS);
}

function copyRow({ slice, row }: Place): SampledRow {
  return {
    inputs: slice.inputs.map((input) => copyOf(input, slice.start + row)),
    outputs: slice.outputs.map((output) => copyOf(output, row)),
  };
}

function copyOf(tensor: RowTensor, row: number): RowTensor {
  const { name, datatype, shape, data } = sliceRows(tensor, rowOffsets(tensor), row, 1);
  return { name, datatype, shape, data: Buffer.from(data) };
}

/** The name of the first output that is not what it was in the batch. */
function firstDifference(
  rows: readonly SampledRow[],
  alone: readonly ComparedOutput[][],
): string | undefined {
  const [first] = rows;
  return first?.outputs.find((_, index) => {
    const inBatch = rows.map(({ outputs }) => outputs[index]).filter((output) => output !== undefined);
    return !areEqual(
      inBatch,
      alone.flatMap((outputs) => outputs[index] ?? []),
    );
  })?.name;
}

function areEqual(inBatch: readonly RowTensor[], alone: readonly ComparedOutput[]): boolean {
  if (alone.length !== inBatch.length) return false;
  const typical = median(alone.map((output) => output.magnitude(0)));
  return alone.every((output, index) => {
    const other = inBatch[index];
    if (!other) return false;
    const compared = new ComparedOutput(other);
    return output.rows === 1 && output.hasRowsLike(compared) && output.matches(0, compared, 0, typical);
  });
}

/** What is small beside the other answers is rounded like them. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
