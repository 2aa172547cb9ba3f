import type { Datatype } from '../../../schemas/datatypes.js';
import type { ModelSignature, TensorSpec } from '../../engine/engine.js';
import { toHalf } from './half.js';
import type { Random } from './random.js';

/** Sizes of values, far apart: a row that depends on a larger neighbor shows it. */
export const SCALES = [1e-3, 1, 1e3] as const;
export type Scale = (typeof SCALES)[number];

/** A way of drawing values that a model may accept. Zeros are drawn only where nothing else is accepted. */
export interface ValueKind {
  readonly float: (random: Random, scale: Scale) => number;
  /** Bounds of whole numbers, both included. */
  readonly integers: (scale: Scale) => readonly [least: number, most: number];
  readonly text: (random: Random, scale: Scale) => string;
}

type FloatKind = ValueKind['float'];
type IntegerKind = ValueKind['integers'];
type TextKind = ValueKind['text'];

/** From the most to the least telling. The later ones are for logarithms, lookups of whole numbers and flags. */
const FLOATS: readonly FloatKind[] = [
  (random, scale) => (2 * random.next() - 1) * scale,
  (random, scale) => (0.1 + 0.9 * random.next()) * scale,
  (random) => random.whole(1, 3),
  (random) => random.whole(0, 1),
];

/** Positive, for embeddings and divisors, with ever smaller ranges, for small vocabularies. */
const INTEGERS: readonly IntegerKind[] = [
  (scale) => [1, scale < 1 ? 3 : scale > 1 ? 100 : 10],
  () => [1, 3],
  () => [0, 1],
];

/** Words, then numbers for models that parse them. */
const TEXTS: readonly TextKind[] = [
  (random, scale) => word(random, scale < 1 ? 1 : scale > 1 ? 12 : 4),
  (random) => String(random.whole(1, 99)),
];

const FLOAT_TYPES: readonly Datatype[] = ['FP16', 'FP32', 'FP64'];
const INTEGER_TYPES: readonly Datatype[] = [
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
];

/** The kinds of values to try, the most telling first. Only datatypes that the model has make a difference. */
export function valueKinds({ inputs }: ModelSignature): ValueKind[] {
  const has = (types: readonly Datatype[]): boolean =>
    inputs.some(({ datatype }) => types.includes(datatype));
  const choices = <T>(kinds: readonly T[], types: readonly Datatype[]): readonly T[] =>
    has(types) ? kinds : kinds.slice(0, 1);
  return choices(TEXTS, ['BYTES']).flatMap((text) =>
    choices(INTEGERS, INTEGER_TYPES).flatMap((integers) =>
      choices(FLOATS, FLOAT_TYPES).map((float) => ({ float, integers, text })),
    ),
  );
}

/** Sizes for dimensions that the model leaves open beside the rows; what a model needs at least may be any of them. */
const OPEN_SIZES = [4, 1, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 16_000] as const;
const MAX_ROW_ELEMENTS = 2 ** 20;

/** Sizes of open dimensions to try; one where there are none. */
export function openSizes({ inputs }: ModelSignature): number[] {
  const isFixed = inputs.every(({ shape }) => !shape.slice(1).includes(-1));
  if (isFixed) return [1];
  return OPEN_SIZES.filter((size) => inputs.every((spec) => elementsOfRow(spec, size) <= MAX_ROW_ELEMENTS));
}

/** The shape of one row with every open dimension at one size. */
export function rowShape({ shape }: TensorSpec, openSize: number): number[] {
  return shape.slice(1).map((dimension) => (dimension === -1 ? openSize : dimension));
}

export function elementsOfRow(spec: TensorSpec, openSize: number): number {
  return rowShape(spec, openSize).reduce((product, size) => product * size, 1);
}

/**
 * The elements of one row as a tensor's bytes.
 * @param turn varies from row to row: the first whole number takes its turn in the range, so that rows differ even where
 * there are few numbers to choose from
 */
export function drawRow(
  datatype: Datatype,
  elements: number,
  kind: ValueKind,
  scale: Scale,
  turn: number,
  random: Random,
): Buffer {
  if (datatype === 'BYTES')
    return encodeTexts(Array.from({ length: elements }, () => kind.text(random, scale)));
  if (isFloat(datatype)) return encodeNumbers(datatype, elements, () => kind.float(random, scale));
  const [least, most] = datatype === 'BOOL' ? [0, 1] : kind.integers(scale);
  return encodeNumbers(datatype, elements, (index) =>
    index === 0 ? least + (turn % (most - least + 1)) : random.whole(least, most),
  );
}

function isFloat(datatype: Datatype): boolean {
  return FLOAT_TYPES.includes(datatype);
}

type NumericType = Exclude<Datatype, 'BYTES'>;

const ARRAYS: Readonly<Record<NumericType, (numbers: Float64Array) => NodeJS.TypedArray>> = {
  BOOL: (numbers) => new Uint8Array(numbers),
  UINT8: (numbers) => new Uint8Array(numbers),
  UINT16: (numbers) => new Uint16Array(numbers),
  UINT32: (numbers) => new Uint32Array(numbers),
  UINT64: (numbers) => BigUint64Array.from([...numbers], BigInt),
  INT8: (numbers) => new Int8Array(numbers),
  INT16: (numbers) => new Int16Array(numbers),
  INT32: (numbers) => new Int32Array(numbers),
  INT64: (numbers) => BigInt64Array.from([...numbers], BigInt),
  FP16: (numbers) => Uint16Array.from(numbers, toHalf),
  FP32: (numbers) => new Float32Array(numbers),
  FP64: (numbers) => numbers,
};

function encodeNumbers(datatype: NumericType, count: number, draw: (index: number) => number): Buffer {
  const numbers = new Float64Array(count);
  for (let index = 0; index < count; index++) numbers[index] = draw(index);
  const array = ARRAYS[datatype](numbers);
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

function encodeTexts(texts: readonly string[]): Buffer {
  return Buffer.concat(
    texts.flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** A text of one or more letters. Long ones have a space, so that models that split texts find several words. */
function word(random: Random, longest: number): string {
  const letters = Array.from({ length: random.whole(1, longest) }, () => LETTERS.charAt(random.whole(0, 25)));
  if (letters.length > 6) letters[3] = ' ';
  return letters.join('');
}
