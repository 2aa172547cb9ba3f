import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export const PIXELS = 64;
export const CLASSES = 10;

// The same split as in train.py.
const HELD_BACK_EVERY = 5;

/** The handwritten digits, one entry per row of the file. */
export interface Digits {
  /** 8×8 pixels per row, values 0 to 16. */
  readonly pixels: readonly Float32Array<ArrayBuffer>[];
  /** The labels, 0 to 9. */
  readonly labels: readonly number[];
  /** True for rows held out from training: every fifth, starting with the first. */
  readonly heldBack: readonly boolean[];
}

/** Expected results of a model, as written by its training script. */
export interface Expectations {
  readonly rows: number;
  /** Correct predictions among all rows. */
  readonly correct: number;
  readonly heldBackRows: number;
  readonly heldBackCorrect: number;
  readonly heldBackAccuracy: number;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly row: number;
  readonly label: number;
  readonly pixels: readonly number[];
  /** Tolerance 1e-5. */
  readonly probabilities: readonly number[];
}

// The compiler does not copy data files to dist/, so they are read from the sources.
const HERE = new URL('../../../examples/digits/', import.meta.url);

/** Reads all 1,797 rows. */
export function loadDigits(): Digits {
  const lines = gunzipSync(readFileSync(new URL('digits.csv.gz', HERE)))
    .toString('ascii')
    .trim()
    .split('\n');
  const rows = lines.map((line) => Float32Array.from(line.split(','), Number));
  return {
    pixels: rows.map((row) => row.slice(0, PIXELS)),
    labels: rows.map((row) => row[PIXELS] ?? NaN),
    heldBack: rows.map((_, index) => index % HELD_BACK_EVERY === 0),
  };
}

/** Reads the expected results of the shipped SavedModel, computed in Python. */
export function loadExpectations(): Expectations {
  return JSON.parse(readFileSync(new URL('expected.json', HERE), 'utf8')) as Expectations;
}

/** Returns the digit with the highest probability. */
export function mostLikely(probabilities: ArrayLike<number>): number {
  let best = 0;
  for (let digit = 1; digit < probabilities.length; digit++) {
    if ((probabilities[digit] ?? 0) > (probabilities[best] ?? 0)) best = digit;
  }
  return best;
}
