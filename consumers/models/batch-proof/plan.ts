import { SCALES, type Scale } from './values.js';

/** A request to draw: its number of rows and the scale of its values. */
export interface PlannedRequest {
  readonly rows: number;
  readonly scale: Scale | 'mixed';
  /** NaN or infinity to put into each float input; it must not affect the outputs of other requests. */
  readonly nonFinite?: number;
}

/** Consecutive rows of a request in a run: all of them or a part. */
export interface Segment {
  /** Index among all requests of the plan. */
  readonly request: number;
  readonly start: number;
  readonly rows: number;
}

/** The segments of one batch, in order. */
export type PlannedRun = readonly Segment[];

/**
 * A segment next to one neighbor and, at the same position, next to another of the same length. The kernels are the same, so
 * its output must be bitwise the same.
 */
export interface Exchange {
  readonly run: PlannedRun;
  readonly exchanged: PlannedRun;
  /** Index of the segment that both runs share. */
  readonly kept: number;
}

/** New requests, each of which is run alone, and the batches to compare with them. */
export interface Stage {
  readonly requests: readonly PlannedRequest[];
  readonly runs: readonly PlannedRun[];
  readonly exchanges?: readonly Exchange[];
  /** True if the model may reject the values, or even crash on them, which says nothing about batching. */
  readonly isOptional?: boolean;
}

const [SMALL, MEDIUM, LARGE] = SCALES;

/**
 * Requests of the stage that every model must pass: twelve runs of twenty-four rows with different scales and lengths, both
 * orders and one split.
 */
const ESSENTIAL: readonly PlannedRequest[] = [
  { rows: 1, scale: MEDIUM },
  { rows: 2, scale: LARGE },
  { rows: 1, scale: SMALL },
];

/** Rows of the largest essential request. */
export const ESSENTIAL_ROWS = Math.max(...ESSENTIAL.map(({ rows }) => rows));

const FURTHER: readonly PlannedRequest[] = [
  { rows: 7, scale: 'mixed' },
  { rows: 3, scale: MEDIUM },
];

const [FIRST, SECOND, THIRD] = wholes(ESSENTIAL, 0) as [Segment, Segment, Segment];

/** Runs of two requests in both orders, and of all three. */
const TOGETHER: readonly PlannedRun[] = [
  [FIRST, SECOND],
  [SECOND, FIRST],
  [THIRD, SECOND, FIRST],
];

export function essentialStage(): Stage {
  return {
    requests: ESSENTIAL,
    runs: [
      ...TOGETHER,
      // Equal rows, which a model may count or deduplicate.
      [FIRST, FIRST],
      ...splitsOf(SECOND, [1]),
    ],
    // The row with small values reveals leaks from larger ones best.
    exchanges: [{ run: [THIRD, FIRST], exchanged: [THIRD, partOf(SECOND, 0, 1)], kept: 0 }],
  };
}

/**
 * Returns the stage of further runs: several requests, splits at several positions, alone and next to other requests, all
 * pairs in both orders, and single rows. The most important come first, for slow models.
 */
export function furtherStage(request: number): Stage {
  const all = [FIRST, SECOND, THIRD, ...wholes(FURTHER, request)];
  const pairs = all.flatMap((one) => all.filter((other) => other !== one).map((other) => [one, other]));
  const [a, b, c, long, short] = all as [Segment, Segment, Segment, Segment, Segment];
  return {
    requests: FURTHER,
    runs: [
      [short, c, long, b, a],
      [c, long, a],
      // Like the batcher: the end of one request shares a batch with the start of another.
      [partOf(long, 3, 7), partOf(short, 0, 2)],
      [partOf(short, 2, 3), partOf(long, 0, 3)],
      ...splitsOf(long, [1, 3, 6]),
      ...splitsOf(short, [1, 2]),
      ...pairs.filter((pair) => pair.some(({ request }) => request >= ESSENTIAL.length)),
      ...oneByOne(long),
      [a, b, c],
    ],
    exchanges: [
      { run: [partOf(long, 0, 3), short], exchanged: [partOf(long, 3, 6), short], kept: 1 },
      { run: [short, a, c], exchanged: [short, partOf(long, 6, 7), c], kept: 0 },
      { run: [b, a], exchanged: [b, c], kept: 0 },
    ],
  };
}

/** Returns the stage with a long request, alone, split, and after a short one, to reveal a dependency on the batch size. */
export function longStage(rows: number, request: number): Stage {
  const [long] = wholes([{ rows, scale: 'mixed' }], request) as [Segment];
  return {
    requests: [{ rows, scale: 'mixed' }],
    runs: [...splitsOf(long, [Math.floor(rows / 2)]), [FIRST, long]],
  };
}

/** Returns the most informative stage, for each further kind of values. */
export function briefStage(): Stage {
  return { requests: ESSENTIAL, runs: TOGETHER, isOptional: true };
}

/** Returns the stage with NaN or infinity next to finite requests. */
export function nonFiniteStage(value: number, request: number): Stage {
  const planned = { rows: 1, scale: MEDIUM, nonFinite: value };
  const [nonFinite] = wholes([planned], request) as [Segment];
  return {
    requests: [planned],
    runs: [[SECOND, nonFinite]],
    exchanges: [{ run: [nonFinite, FIRST], exchanged: [nonFinite, THIRD], kept: 0 }],
    isOptional: true,
  };
}

/** Returns the runs of an exchange in their order: one of them is repeated. */
export function runsOfExchange({ run, exchanged }: Exchange): readonly PlannedRun[] {
  return [run, run, exchanged];
}

/** Counts the rows of a stage's new requests. */
export function rowsOfRequests({ requests }: Stage): number {
  return requests.reduce((sum, { rows }) => sum + rows, 0);
}

export function rowsOf(run: PlannedRun): number {
  return run.reduce((sum, { rows }) => sum + rows, 0);
}

function wholes(requests: readonly PlannedRequest[], from: number): Segment[] {
  return requests.map(({ rows }, index) => ({ request: from + index, start: 0, rows }));
}

function partOf({ request }: Segment, start: number, end: number): Segment {
  return { request, start, rows: end - start };
}

/** Returns both parts of each split as separate batches. */
function splitsOf(whole: Segment, places: readonly number[]): PlannedRun[] {
  return places.flatMap((place) => [[partOf(whole, 0, place)], [partOf(whole, place, whole.rows)]]);
}

function oneByOne(whole: Segment): PlannedRun[] {
  return Array.from({ length: whole.rows }, (_, row) => [partOf(whole, row, row + 1)]);
}
