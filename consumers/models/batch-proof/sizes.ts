import { ELEMENT_BYTES } from '../../../schemas/datatypes.js';
import type { ModelSignature, TensorSpec } from '../../engine/engine.js';

/** The shape of a row of each input, with a size for every dimension that the model leaves open. */
export type RowShapes = readonly (readonly number[])[];

type Inputs = Pick<ModelSignature, 'inputs'>;

const OPEN = -1;

/** Sizes that all open dimensions have at once; what a model needs at least may be any of them. */
const SIZES = [4, 1, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 16_000] as const;
/** Usual sides of images, the most usual first. */
const SIDES = [224, 64, 299, 32, 384, 512, 640] as const;
const CHANNELS = [3, 1, 4] as const;

/** For inputs whose size the model leaves open: those do not have to be tried with large ones. */
const MAX_ROW_ELEMENTS = 2 ** 20;
/** Each is refused for all kinds of values before the next. */
const MOST_TRIED = 40;
/** Sizes taken from one refusal, and the largest of them. */
const MOST_LEARNED = 4;
const LARGEST_LEARNED = 16_000;

/**
 * Sizes of open dimensions to try: one for all first, then those of images where inputs look like them. Sizes that the
 * model names when it refuses others come before what is left.
 */
export class SizeSearch {
  readonly #left: RowShapes[];
  readonly #seen = new Set<string>();

  /** @param maxRowBytes of a row of all inputs; what is larger is not tried */
  constructor(
    readonly signature: Inputs,
    readonly maxRowBytes: number,
  ) {
    const [first, ...others] = SIZES.map((size) => filled(signature, () => size));
    this.#left = [...(first ? [first] : []), ...imageShapes(signature), ...others];
  }

  /** Undefined when all have been tried. */
  next(): RowShapes | undefined {
    for (let shapes = this.#left.shift(); shapes; shapes = this.#left.shift()) {
      const key = JSON.stringify(shapes);
      if (this.#seen.has(key) || !this.#isSmall(shapes)) continue;
      if (this.#seen.size === MOST_TRIED) return undefined;
      this.#seen.add(key);
      return shapes;
    }
    return undefined;
  }

  /** Takes note of the sizes that a refusal names, such as "expected 3, got 4" or "W: {30,2}". */
  learn(refused: RowShapes, message: string): void {
    const isNew = (size: number): boolean => !refused.some((shape) => shape.includes(size));
    const named = [...message.matchAll(/\d+/g)].map(([digits]) => Number(digits));
    const sizes = [...new Set(named)].filter((size) => size > 0 && size <= LARGEST_LEARNED && isNew(size));
    this.#left.unshift(...sizes.slice(0, MOST_LEARNED).flatMap((size) => this.#withSize(refused, size)));
  }

  /** A size for all open dimensions, or for one of them, which is the same for all inputs. */
  #withSize(shapes: RowShapes, size: number): RowShapes[] {
    const rank = Math.max(0, ...shapes.map(({ length }) => length));
    const one = Array.from({ length: rank }, (_, dimension) =>
      filled(this.signature, (place, input) =>
        place === dimension ? size : (shapes[input]?.[place] ?? size),
      ),
    );
    return [...one, filled(this.signature, () => size)];
  }

  #isSmall(shapes: RowShapes): boolean {
    return (
      shapes.every((shape, input) => !this.#isOpen(input) || elementsOf(shape) <= MAX_ROW_ELEMENTS) &&
      bytesOfRow(this.signature, shapes) <= this.maxRowBytes
    );
  }

  #isOpen(input: number): boolean {
    return this.signature.inputs[input]?.shape.slice(1).includes(OPEN) ?? false;
  }
}

/** Rows of images of usual sizes, channels first or last; none where no input looks like images. */
function imageShapes(signature: Inputs): RowShapes[] {
  if (!signature.inputs.some(isOpenImage)) return [];
  return CHANNELS.flatMap((channels) =>
    SIDES.flatMap((side) => [
      [channels, side, side],
      [side, side, channels],
    ]),
  )
    .filter((image) => signature.inputs.every((spec) => !isOpenImage(spec) || fits(spec, image)))
    .map((image) =>
      filled(signature, (place, input) => {
        const spec = signature.inputs[input];
        return (spec && isOpenImage(spec) ? image[place] : undefined) ?? SIZES[0];
      }),
    );
}

function isOpenImage({ datatype, shape }: TensorSpec): boolean {
  const row = shape.slice(1);
  return datatype !== 'BYTES' && row.length === 3 && row.filter((size) => size === OPEN).length >= 2;
}

function fits({ shape }: TensorSpec, row: readonly number[]): boolean {
  return shape.slice(1).every((size, place) => size === OPEN || size === row[place]);
}

/** Rows with sizes for open dimensions by their place in the row and the index of the input. */
function filled({ inputs }: Inputs, sizeOf: (place: number, input: number) => number): RowShapes {
  return inputs.map(({ shape }, input) =>
    shape.slice(1).map((size, place) => (size === OPEN ? sizeOf(place, input) : size)),
  );
}

export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** A text takes an object of its own in the process that computes, whatever its length. */
const TEXT_BYTES = 32;

/** Estimates the memory of one row of all inputs. */
export function bytesOfRow({ inputs }: Inputs, shapes: RowShapes): number {
  return inputs.reduce(
    (sum, { datatype }, input) =>
      sum + elementsOf(shapes[input] ?? []) * (ELEMENT_BYTES[datatype] ?? TEXT_BYTES),
    0,
  );
}
