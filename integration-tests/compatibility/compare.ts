import { fromHalf } from '../../consumers/models/batch-proof/half.js';
import { formatShape, isDatatype } from '../../schemas/datatypes.js';
import type { Tensor } from '../../schemas/generated.js';
import { decodeElements } from '../../schemas/tensor.js';

/** Tolerances of the ONNX project's own backend tests. */
const RELATIVE = 1e-3;
const ABSOLUTE = 1e-5;

/** Describes how outputs differ from the expected ones; undefined if they match. */
export function differenceOf(
  answer: readonly Tensor[],
  expected: readonly Tensor[],
  isRandom: boolean,
): string | undefined {
  if (answer.length !== expected.length) return `expected ${expected.length} outputs, got ${answer.length}`;
  for (const [index, wanted] of expected.entries()) {
    const got = answer[index];
    const difference = got ? differenceOfTensor(got, wanted, isRandom) : 'missing';
    if (difference) return `output '${wanted.name}': ${difference}`;
  }
  return undefined;
}

function differenceOfTensor(got: Tensor, wanted: Tensor, isRandom: boolean): string | undefined {
  const [form, wantedForm] = [got, wanted].map(({ datatype, shape }) => `${datatype} ${formatShape(shape)}`);
  if (form !== wantedForm) return `expected ${wantedForm}, got ${form}`;
  if (isRandom) return undefined;
  if (!isFloat(wanted)) return got.data.equals(wanted.data) ? undefined : 'other values';
  const [values, wantedValues] = [valuesOf(got), valuesOf(wanted)];
  const index = wantedValues.findIndex((value, index) => !isClose(values[index] ?? NaN, value));
  return index < 0 ? undefined : `element ${index}: expected ${wantedValues[index]}, got ${values[index]}`;
}

function isFloat({ datatype }: Tensor): boolean {
  return datatype.startsWith('FP');
}

function valuesOf({ datatype, data }: Tensor): number[] {
  if (!isDatatype(datatype)) throw new Error(`unknown data type ${datatype}`);
  if (datatype !== 'FP16') return decodeElements(datatype, data).map(Number);
  return Array.from({ length: data.length / 2 }, (_, index) => fromHalf(data.readUInt16LE(2 * index)));
}

function isClose(got: number, wanted: number): boolean {
  if (Object.is(got, wanted) || got === wanted || (Number.isNaN(got) && Number.isNaN(wanted))) return true;
  return Math.abs(got - wanted) <= ABSOLUTE + RELATIVE * Math.abs(wanted);
}
