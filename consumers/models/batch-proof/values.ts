import { ELEMENT_BYTES, type Datatype } from '../../../schemas/datatypes.js';
import type { ModelSignature } from '../../engine/engine.js';
import { toHalf } from './half.js';
import type { Random } from './random.js';

/** Sizes of values, far apart: a row that depends on a larger neighbor shows it. */
export const SCALES = [1e-3, 1, 1e3] as const;
export type Scale = (typeof SCALES)[number];

/** Where an element stands. */
export interface Place {
  readonly index: number;
  /** Elements of a row. */
  readonly elements: number;
  /** Of the row, among all rows that are drawn: what goes by turns differs between neighbors. */
  readonly turn: number;
  /** Index of the input. */
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

/** From the most to the least telling. The later ones are for logarithms, lookups of whole numbers and flags. */
const FLOATS: readonly FloatKind[] = [
  (random, scale) => (2 * random.next() - 1) * scale,
  (random, scale) => (0.1 + 0.9 * random.next()) * scale,
  (random) => random.whole(1, 3),
  (random) => random.whole(0, 1),
];

/** Positive, for embeddings and divisors, with ever smaller ranges, for small vocabularies. */
const INTEGERS: readonly IntegerKind[] = [
  between((scale) => [1, scale < 1 ? 3 : scale > 1 ? 100 : 10]),
  between(() => [1, 3]),
  between(() => [0, 1]),
];

const BOOL = between(() => [0, 1]);

/** Words, then numbers for models that parse them. */
const TEXTS: readonly TextKind[] = [
  (random, scale) => word(random, scale < 1 ? 1 : scale > 1 ? 12 : 4),
  (random) => String(random.whole(1, 99)),
];

/**
 * Draws whole numbers between bounds, both included. The first one takes its turn in the range, so that rows differ even
 * where there are few numbers to choose from, and so do inputs.
 */
function between(bounds: (scale: Scale) => readonly [least: number, most: number]): IntegerKind {
  return (random, scale, { index, turn, input }) => {
    const [least, most] = bounds(scale);
    return index === 0 ? least + ((turn + input) % (most - least + 1)) : random.whole(least, most);
  };
}

/** A kind that is made of another by putting values in between that models treat in a special way. */
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
    if (type === 'UINT8') return random.whole(0, scale < 1 ? 100 : 255);
    if (type === 'INT8') return scale < 1 ? random.whole(-10, 10) : random.whole(-128, 127);
    return base(random, scale, place, type);
  },
];

const SEPARATORS = [',', '|', ';', '\t', ' '] as const;

const TEXT_VARIATIONS: readonly Variation<TextKind>[] = [
  ...SEPARATORS.map(
    (separator): Variation<TextKind> =>
      (base) =>
      (random, scale, place) =>
        Array.from({ length: 1 + (place.turn % 3) }, () => base(random, scale, place)).join(separator),
  ),
  (base) => (random, scale, place) =>
    (place.turn + place.index) % 2 === 0 ? '' : base(random, scale, place),
];

/** Shares of a row that are not padding. */
const FILLED = [1 / 4, 1, 1 / 2, 3 / 4] as const;

/** True for the end of a row. Neighbors end at different places, none at its first element. */
function isPadding({ index, elements, turn }: Place): boolean {
  return index >= Math.max(1, elements * (FILLED[turn % FILLED.length] ?? 1));
}

function isEmptyRow({ turn }: Place): boolean {
  return turn % 3 === 0;
}

function isMissing({ index, elements, turn }: Place): boolean {
  return index === turn % Math.max(2, elements);
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

/** The kinds of values to try, the most telling first. Only datatypes that the model has make a difference. */
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
 * Further kinds beside one that a model accepts: a model may mix rows only where there is padding, a missing value, or a
 * separator. Only one datatype's values change at a time.
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

/** A row to draw: one of all rows of the proof, of one input. */
export interface RowToDraw extends Pick<Place, 'elements' | 'turn' | 'input'> {
  readonly datatype: Datatype;
  readonly scale: Scale;
  /** Stands in the place of the first float. */
  readonly spoiled: number | undefined;
}

/** Larger rows repeat so many elements: drawing millions would take seconds. */
const BLOCK_ELEMENTS = 4_096;

/** Draws the elements of one row as a tensor's bytes. */
export function drawRow(row: RowToDraw, kind: ValueKind, random: Random): Buffer {
  const { datatype, scale, turn, input, spoiled } = row;
  const elements = Math.min(row.elements, BLOCK_ELEMENTS);
  const place = (index: number): Place => ({ index, elements, turn, input });
  if (datatype === 'BYTES') {
    const texts = Array.from({ length: elements }, (_, index) => kind.text(random, scale, place(index)));
    return repeatTexts(texts, row.elements);
  }
  const integer = datatype === 'BOOL' ? BOOL : kind.integer;
  const block = encodeNumbers(datatype, elements, (index) => {
    if (!isFloat(datatype)) return integer(random, scale, place(index), datatype);
    return spoiled !== undefined && index === 0 ? spoiled : kind.float(random, scale, place(index));
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

/** A text of one or more letters. Long ones have a space, so that models that split texts find several words. */
function word(random: Random, longest: number): string {
  const letters = Array.from({ length: random.whole(1, longest) }, () => LETTERS.charAt(random.whole(0, 25)));
  if (letters.length > 6) letters[3] = ' ';
  return letters.join('');
}
