import { ELEMENT_BYTES } from '../../../schemas/datatypes.js';
import type { ModelSignature, TensorSpec } from '../../engine/engine.js';

/** Row shape of each input, with a size for every open dimension. */
export type RowShapes = readonly (readonly number[])[];

type Inputs = Pick<ModelSignature, 'inputs'>;

const OPEN = -1;

/** Sizes to try for all open dimensions at once. */
const SIZES = [4, 1, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 16_000] as const;
/** Common image sizes, the most common first. */
const SIDES = [224, 64, 299, 32, 384, 512, 640] as const;
const CHANNELS = [3, 1, 4] as const;

/** Maximum elements of a row with open dimensions, for which large sizes are unnecessary. */
const MAX_ROW_ELEMENTS = 2 ** 20;
/** Maximum sizes to try; each is tried with all kinds of values before the next. */
const MAX_TRIED = 40;
/** Maximum number of sizes taken from one error message, and the largest accepted size. */
const MAX_NAMED_SIZES = 4;
const MAX_NAMED_SIZE = 16_000;

/**
 * Generates sizes of open dimensions to try: first one size for all, then image sizes if inputs look like images. Sizes
 * named in the model's error messages take precedence.
 */
export class SizeSearch {
  readonly #remaining: RowShapes[];
  readonly #seen = new Set<string>();

  /** @param maxRowBytes maximum bytes of a row over all inputs */
  constructor(
    readonly signature: Inputs,
    readonly maxRowBytes: number,
  ) {
    const [first, ...others] = SIZES.map((size) => filled(signature, () => size));
    this.#remaining = [...(first ? [first] : []), ...imageShapes(signature), ...others];
  }

  /** Returns the next shapes to try, undefined if none are left. */
  next(): RowShapes | undefined {
    for (let shapes = this.#remaining.shift(); shapes; shapes = this.#remaining.shift()) {
      const key = JSON.stringify(shapes);
      if (this.#seen.has(key) || !this.#isSmall(shapes)) continue;
      if (this.#seen.size === MAX_TRIED) return undefined;
      this.#seen.add(key);
      return shapes;
    }
    return undefined;
  }

  /** Adds the sizes named in an error message, such as "expected 3, got 4" or "W: {30,2}". */
  observe(rejected: RowShapes, message: string): void {
    const isNew = (size: number): boolean => !rejected.some((shape) => shape.includes(size));
    const named = [...message.matchAll(/\d+/g)].map(([digits]) => Number(digits));
    const sizes = [...new Set(named)].filter((size) => size > 0 && size <= MAX_NAMED_SIZE && isNew(size));
    this.#remaining.unshift(
      ...sizes.slice(0, MAX_NAMED_SIZES).flatMap((size) => this.#withSize(rejected, size)),
    );
  }

  /** Returns shapes with a size for each open dimension separately, the same for all inputs, and for all of them. */
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

/** Returns image rows of common sizes, channels first or last; none if no input looks like an image. */
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

/** Fills open dimensions with sizes, by dimension and input index. */
function filled({ inputs }: Inputs, sizeOf: (place: number, input: number) => number): RowShapes {
  return inputs.map(({ shape }, input) =>
    shape.slice(1).map((size, place) => (size === OPEN ? sizeOf(place, input) : size)),
  );
}

export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Estimated memory of a string, which is a separate object whatever its length. */
const TEXT_BYTES = 32;

/** Estimates the memory of one row of all inputs. */
export function bytesOfRow({ inputs }: Inputs, shapes: RowShapes): number {
  return inputs.reduce(
    (sum, { datatype }, input) =>
      sum + elementsOf(shapes[input] ?? []) * (ELEMENT_BYTES[datatype] ?? TEXT_BYTES),
    0,
  );
}
