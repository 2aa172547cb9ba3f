import { ELEMENT_BYTES, type Datatype } from '../../../schemas/datatypes.js';
import type { ModelSignature } from '../../engine/engine.js';
import { toHalf } from './half.js';
import type { Random } from './random.js';

/** Scales of values, far apart, so that a dependency on a larger neighbor shows. */
export const SCALES = [1e-3, 1, 1e3] as const;
export type Scale = (typeof SCALES)[number];

/** Position of an element. */
export interface Place {
  readonly index: number;
  /** Number of elements in the row. */
  readonly elements: number;
  /** Number of the row among all drawn rows, by which values alternate between neighbors. */
  readonly rowNumber: number;
  /** Input index. */
  readonly input: number;
}

/** A way of drawing values that a model may accept. */
export interface ValueKind {
  readonly float: (random: Random, scale: Scale, place: Place) => number;
  readonly integer: (random: Random, scale: Scale, place: Place, datatype: Datatype) => number;
  readonly text: (random: Random, scale: Scale, place: Place) => string;
}

type FloatKind = ValueKind['float'];
type IntegerKind = ValueKind['integer'];
type TextKind = ValueKind['text'];

/** Kinds of floats, the most informative first. The later ones suit logarithms, integer lookups and flags. */
const FLOATS: readonly FloatKind[] = [
  (random, scale) => (2 * random.next() - 1) * scale,
  (random, scale) => (0.1 + 0.9 * random.next()) * scale,
  (random) => random.integer(1, 3),
  (random) => random.integer(0, 1),
];

/** Kinds of integers, positive for embeddings and divisors, with decreasing ranges for small vocabularies. */
const INTEGERS: readonly IntegerKind[] = [
  between((scale) => [1, scale < 1 ? 3 : scale > 1 ? 100 : 10]),
  between(() => [1, 3]),
  between(() => [0, 1]),
];

const BOOL = between(() => [0, 1]);

/** Kinds of strings: words, then numbers for models that parse them. */
const TEXTS: readonly TextKind[] = [
  (random, scale) => word(random, scale < 1 ? 1 : scale > 1 ? 12 : 4),
  (random) => String(random.integer(1, 99)),
];

/**
 * Draws integers between inclusive bounds. The first element cycles through the range, so that rows and inputs differ even
 * if the range is small.
 */
function between(bounds: (scale: Scale) => readonly [least: number, most: number]): IntegerKind {
  return (random, scale, { index, rowNumber, input }) => {
    const [least, most] = bounds(scale);
    return index === 0 ? least + ((rowNumber + input) % (most - least + 1)) : random.integer(least, most);
  };
}

/** Derives a kind from another by inserting values that models often treat specially. */
type Variation<T> = (base: T) => T;

const FLOAT_VARIATIONS: readonly Variation<FloatKind>[] = [
  (base) => (random, scale, place) => (isPadding(place) ? 0 : base(random, scale, place)),
  (base) => (random, scale, place) => (isEmptyRow(place) ? 0 : base(random, scale, place)),
];

const INTEGER_VARIATIONS: readonly Variation<IntegerKind>[] = [
  (base) => (random, scale, place, type) => (isPadding(place) ? 0 : base(random, scale, place, type)),
  (base) => (random, scale, place, type) => (isEmptyRow(place) ? 0 : base(random, scale, place, type)),
  (base) => (random, scale, place, type) =>
    isMissing(place) && !type.startsWith('U') ? -1 : base(random, scale, place, type),
  (base) => (random, scale, place, type) => {
    if (type === 'UINT8') return random.integer(0, scale < 1 ? 100 : 255);
    if (type === 'INT8') return scale < 1 ? random.integer(-10, 10) : random.integer(-128, 127);
    return base(random, scale, place, type);
  },
];

const SEPARATORS = [',', '|', ';', '\t', ' '] as const;

const TEXT_VARIATIONS: readonly Variation<TextKind>[] = [
  ...SEPARATORS.map(
    (separator): Variation<TextKind> =>
      (base) =>
      (random, scale, place) =>
        Array.from({ length: 1 + (place.rowNumber % 3) }, () => base(random, scale, place)).join(separator),
  ),
  (base) => (random, scale, place) =>
    (place.rowNumber + place.index) % 2 === 0 ? '' : base(random, scale, place),
];

/** Fractions of a row that are not padding. */
const FILLED = [1 / 4, 1, 1 / 2, 3 / 4] as const;

/**
 * True for the padded end of a row, which starts at different positions in neighboring rows, but never at the first
 * element.
 */
function isPadding({ index, elements, rowNumber }: Place): boolean {
  return index >= Math.max(1, elements * (FILLED[rowNumber % FILLED.length] ?? 1));
}

function isEmptyRow({ rowNumber }: Place): boolean {
  return rowNumber % 3 === 0;
}

function isMissing({ index, elements, rowNumber }: Place): boolean {
  return index === rowNumber % Math.max(2, elements);
}

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

/** Returns the kinds of values to try, the most informative first, varying only datatypes that the model has. */
export function valueKinds({ inputs }: ModelSignature): ValueKind[] {
  const has = (types: readonly Datatype[]): boolean =>
    inputs.some(({ datatype }) => types.includes(datatype));
  const choices = <T>(kinds: readonly T[], types: readonly Datatype[]): readonly T[] =>
    has(types) ? kinds : kinds.slice(0, 1);
  return choices(TEXTS, ['BYTES']).flatMap((text) =>
    choices(INTEGERS, INTEGER_TYPES).flatMap((integer) =>
      choices(FLOATS, FLOAT_TYPES).map((float) => ({ float, integer, text })),
    ),
  );
}

/**
 * Returns further kinds derived from one that the model accepts: a model may mix rows only if there is padding, a missing
 * value or a separator. Only one datatype changes at a time.
 */
export function furtherKinds({ inputs }: ModelSignature, base: ValueKind): ValueKind[] {
  const has = (types: readonly Datatype[]): boolean =>
    inputs.some(({ datatype }) => types.includes(datatype));
  return [
    ...(has(['BYTES']) ? others(base.text, TEXT_VARIATIONS, TEXTS) : []).map((text) => ({ ...base, text })),
    ...(has(INTEGER_TYPES) ? others(base.integer, INTEGER_VARIATIONS, INTEGERS) : []).map((integer) => ({
      ...base,
      integer,
    })),
    ...(has(FLOAT_TYPES) ? others(base.float, FLOAT_VARIATIONS, FLOATS) : []).map((float) => ({
      ...base,
      float,
    })),
  ];
}

function others<T>(base: T, variations: readonly Variation<T>[], kinds: readonly T[]): T[] {
  return [...variations.map((vary) => vary(base)), ...kinds.filter((kind) => kind !== base)];
}

export function hasFloats({ inputs }: ModelSignature): boolean {
  return inputs.some(({ datatype }) => FLOAT_TYPES.includes(datatype));
}

/** A row of one input to draw. */
export interface RowToDraw extends Pick<Place, 'elements' | 'rowNumber' | 'input'> {
  readonly datatype: Datatype;
  readonly scale: Scale;
  /** Replaces the first float. */
  readonly nonFinite: number | undefined;
}

/** Number of drawn elements that larger rows repeat, since drawing millions would take seconds. */
const BLOCK_ELEMENTS = 4_096;

/** Draws the elements of one row as a tensor's bytes. */
export function drawRow(row: RowToDraw, kind: ValueKind, random: Random): Buffer {
  const { datatype, scale, rowNumber, input, nonFinite } = row;
  const elements = Math.min(row.elements, BLOCK_ELEMENTS);
  const place = (index: number): Place => ({ index, elements, rowNumber, input });
  if (datatype === 'BYTES') {
    const texts = Array.from({ length: elements }, (_, index) => kind.text(random, scale, place(index)));
    return repeatTexts(texts, row.elements);
  }
  const integer = datatype === 'BOOL' ? BOOL : kind.integer;
  const block = encodeNumbers(datatype, elements, (index) => {
    if (!isFloat(datatype)) return integer(random, scale, place(index), datatype);
    return nonFinite !== undefined && index === 0 ? nonFinite : kind.float(random, scale, place(index));
  });
  return row.elements === elements ? block : Buffer.alloc(row.elements * ELEMENT_BYTES[datatype], block);
}

function repeatTexts(texts: readonly string[], elements: number): Buffer {
  const block = encodeTexts(texts);
  if (elements === texts.length) return block;
  const times = Math.floor(elements / texts.length);
  const rest = encodeTexts(texts.slice(0, elements % texts.length));
  return Buffer.concat([Buffer.alloc(times * block.length, block), rest]);
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

/** Draws a string of letters. Long ones contain a space, so that models that split strings find several words. */
function word(random: Random, longest: number): string {
  const letters = Array.from({ length: random.integer(1, longest) }, () =>
    LETTERS.charAt(random.integer(0, 25)),
  );
  if (letters.length > 6) letters[3] = ' ';
  return letters.join('');
}
