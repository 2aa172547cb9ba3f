import type { Datatype } from '../../../schemas/datatypes.js';
import { rowOffsets, type RowOffsets, type RowTensor } from '../../batching/rows.js';
import { fromHalf, toHalf } from './half.js';

/**
 * The largest difference that is still rounding, relative to the size of the answers. A batch of another size may take
 * another kernel, which adds in another order. A sum of n products differs by about √n roundings, and layers pass the
 * difference on, so it is several hundred roundings: FP32 rounds at 1.2e-7, FP16 at 1e-3. In FP64 nothing comes near
 * 1e-9. Whole numbers, truth values and texts must be the same.
 */
const TOLERANCES = { FP16: 1e-2, FP32: 1e-4, FP64: 1e-9 } as const;

/**
 * The largest difference that rounding makes where a model amplifies it: a softmax over large scores turns a difference of
 * 1e-5 into one of 1e-3. It is absolute for rows of values from 0 to 1, and relative to the size of the answers else. As an answer that depends slightly on other rows looks
 * the same, it is allowed only where the row answers likewise, to the last bit, among copies of itself.
 */
const AMPLIFIED_TOLERANCE = 1e-2;

type FloatType = keyof typeof TOLERANCES;
type FloatValues = Float32Array | Float64Array;

/** Values that tell in which precision they were computed. */
const PRECISION_SAMPLE = 256;

/** One output of a run, to be compared row by row with another run's. */
export class ComparedOutput {
  readonly #offsets: RowOffsets;
  readonly #floats: FloatValues | undefined;
  readonly #elementsPerRow: number;
  readonly #tolerance: number;

  constructor(readonly tensor: RowTensor) {
    this.#offsets = rowOffsets(tensor);
    this.#floats = isFloat(tensor.datatype) ? floatValues(tensor.datatype, tensor.data) : undefined;
    this.#elementsPerRow = tensor.shape.slice(1).reduce((product, size) => product * size, 1);
    this.#tolerance = this.#floats ? TOLERANCES[precisionOf(tensor.datatype as FloatType, this.#floats)] : 0;
  }

  get isFloat(): boolean {
    return this.#floats !== undefined;
  }

  /** Undefined for a scalar. */
  get rows(): number | undefined {
    return this.tensor.shape[0];
  }

  /** Whether its rows have the shape of the other's. */
  hasRowsLike({ tensor }: ComparedOutput): boolean {
    return this.tensor.shape.slice(1).join() === tensor.shape.slice(1).join();
  }

  /** True for floats of which none is finite; false where values are not floats or there are none. */
  get isWhollyNonFinite(): boolean {
    const floats = this.#floats;
    if (!floats || floats.length === 0) return false;
    for (let index = 0; index < floats.length; index++) if (Number.isFinite(floats[index])) return false;
    return true;
  }

  /** The largest finite value of a row, without its sign; 0 where values are not floats. */
  magnitude(row: number): number {
    let largest = 0;
    const floats = this.#rowFloats(row);
    for (let index = 0; index < (floats?.length ?? 0); index++) {
      const size = Math.abs(floats?.[index] ?? 0);
      if (size > largest && size < Infinity) largest = size;
    }
    return largest;
  }

  /**
   * Compares a row of this output, the reference, with one of another run.
   * @param magnitude of answers to inputs of the same scale: where a row's own answer is the small difference of large
   * numbers, their rounding is what counts
   */
  matches(row: number, other: ComparedOutput, otherRow: number, magnitude: number): boolean {
    const floats = this.#rowFloats(row);
    const others = other.#rowFloats(otherRow);
    if (!floats || !others) return this.#rowBytes(row).equals(other.#rowBytes(otherRow));
    return areClose(floats, others, this.#tolerance * Math.max(magnitude, this.magnitude(row)));
  }

  /** Compares like `matches`, with the tolerance for rounding that is amplified. The largest element must stay so. */
  isNear(row: number, other: ComparedOutput, otherRow: number, magnitude: number): boolean {
    const floats = this.#rowFloats(row);
    const others = other.#rowFloats(otherRow);
    if (!floats || !others) return false;
    const size = floats.every((value) => value >= 0 && value <= 1) ? 1 : this.magnitude(row);
    const allowed = AMPLIFIED_TOLERANCE * Math.max(magnitude, size);
    if (!areClose(floats, others, allowed)) return false;
    const classes = this.tensor.shape.at(-1) ?? 1;
    for (let start = 0; start < floats.length; start += classes) {
      const scores = floats.subarray(start, start + classes);
      const best = scores[indexOfLargest(scores)] ?? NaN;
      const chosen = scores[indexOfLargest(others.subarray(start, start + classes))] ?? NaN;
      if (best - chosen > allowed) return false;
    }
    return true;
  }

  /** Counts the different answers among its rows, compared to the last bit. */
  get distinctRows(): number {
    const rows = Array.from({ length: this.rows ?? 0 }, (_, row) => this.#rowBytes(row).toString('latin1'));
    return new Set(rows).size;
  }

  /** Compares rows to the last bit. */
  hasSameBytes(row: number, other: ComparedOutput, otherRow: number): boolean {
    return this.hasRowsLike(other) && this.#rowBytes(row).equals(other.#rowBytes(otherRow));
  }

  #rowFloats(row: number): FloatValues | undefined {
    return this.#floats?.subarray(row * this.#elementsPerRow, (row + 1) * this.#elementsPerRow);
  }

  #rowBytes(row: number): Buffer {
    return this.tensor.data.subarray(this.#offsets(row), this.#offsets(row + 1));
  }
}

function areClose(floats: FloatValues, others: FloatValues, allowed: number): boolean {
  for (let index = 0; index < floats.length; index++)
    if (!isClose(floats[index] ?? 0, others[index] ?? NaN, allowed)) return false;
  return true;
}

function indexOfLargest(values: FloatValues): number {
  let largest = 0;
  for (let index = 1; index < values.length; index++)
    if ((values[index] ?? NaN) > (values[largest] ?? NaN)) largest = index;
  return largest;
}

function isClose(value: number, other: number, allowed: number): boolean {
  if (value === other || (Number.isNaN(value) && Number.isNaN(other))) return true;
  return Math.abs(value - other) <= allowed && Number.isFinite(value) && Number.isFinite(other);
}

function isFloat(datatype: Datatype): datatype is FloatType {
  return datatype in TOLERANCES;
}

function floatValues(datatype: FloatType, data: Buffer): FloatValues {
  const bytes = new Uint8Array(data).buffer;
  if (datatype === 'FP64') return new Float64Array(bytes);
  if (datatype === 'FP32') return new Float32Array(bytes);
  const halves = new Uint16Array(bytes);
  const floats = new Float32Array(halves.length);
  for (let index = 0; index < halves.length; index++) floats[index] = fromHalf(halves[index] ?? 0);
  return floats;
}

/**
 * The precision in which values were computed: models of half precision often cast their answer to FP32 at the end.
 * Whole numbers fit every precision and tell nothing.
 */
function precisionOf(datatype: FloatType, values: FloatValues): FloatType {
  const sample = [...values.subarray(0, PRECISION_SAMPLE)].filter((value) => !Number.isInteger(value));
  if (sample.length === 0) return datatype;
  if (datatype !== 'FP16' && sample.every((value) => Object.is(fromHalf(toHalf(value)), value)))
    return 'FP16';
  return datatype === 'FP64' && sample.every((value) => Object.is(Math.fround(value), value))
    ? 'FP32'
    : datatype;
}
