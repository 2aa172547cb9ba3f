import type { Datatype } from '../../../schemas/datatypes.js';
import { rowOffsets, type RowOffsets, type RowTensor } from '../../batching/rows.js';
import { fromHalf, toHalf } from './half.js';

/**
 * Largest difference attributed to rounding, relative to the magnitude of the outputs. Another batch size may select another
 * kernel, which sums in another order. A sum of n products differs by about √n rounding errors, which propagate through the
 * layers, so the tolerance is several hundred rounding errors: 1.2e-7 each in FP32, 1e-3 in FP16. In FP64 no such sum comes
 * near 1e-9. Integers, booleans and strings must be equal.
 */
const TOLERANCES = { FP16: 1e-2, FP32: 1e-4, FP64: 1e-9 } as const;

/**
 * Largest difference attributed to rounding that the model amplifies: a softmax over large scores turns a difference of 1e-5
 * into one of 1e-3. It is absolute for rows with values from 0 to 1, otherwise relative to the magnitude of the outputs. A
 * slight dependency on other rows looks the same, so the difference is accepted only if the row's output is bitwise the same
 * in a batch of copies of itself.
 */
const AMPLIFIED_TOLERANCE = 1e-2;

type FloatType = keyof typeof TOLERANCES;
type FloatValues = Float32Array | Float64Array;

/** Number of values from which the precision is inferred. */
const PRECISION_SAMPLE = 256;

/** An output of a run, to be compared row by row with that of another run. */
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

  /** True if its rows have the same shape as the other's. */
  hasSameRowShape({ tensor }: ComparedOutput): boolean {
    return this.tensor.shape.slice(1).join() === tensor.shape.slice(1).join();
  }

  /** True if the output has floats and none of them is finite. */
  get isEntirelyNonFinite(): boolean {
    const floats = this.#floats;
    if (!floats || floats.length === 0) return false;
    for (let index = 0; index < floats.length; index++) if (Number.isFinite(floats[index])) return false;
    return true;
  }

  /** Returns the largest absolute finite value of a row; 0 if values are not floats. */
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
   * @param magnitude largest output for inputs of the same scale: if a row's output is a small difference of large numbers,
   * the rounding error of those applies
   */
  matches(row: number, other: ComparedOutput, otherRow: number, magnitude: number): boolean {
    const floats = this.#rowFloats(row);
    const others = other.#rowFloats(otherRow);
    if (!floats || !others) return this.#rowBytes(row).equals(other.#rowBytes(otherRow));
    return areClose(floats, others, this.#tolerance * Math.max(magnitude, this.magnitude(row)));
  }

  /** Compares like `matches`, with the tolerance for amplified rounding. The largest element must stay the largest. */
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

  /** Number of bitwise distinct rows. */
  get distinctRows(): number {
    const rows = Array.from({ length: this.rows ?? 0 }, (_, row) => this.#rowBytes(row).toString('latin1'));
    return new Set(rows).size;
  }

  /** Compares rows bitwise. */
  hasSameBytes(row: number, other: ComparedOutput, otherRow: number): boolean {
    return this.hasSameRowShape(other) && this.#rowBytes(row).equals(other.#rowBytes(otherRow));
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
 * Infers the precision in which values were computed: half-precision models often cast their outputs to FP32. Integers fit
 * every precision and are ignored.
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
