import { SCALES, type Scale } from './values.js';

/** A request to draw: how many rows, and how large their values are. */
export interface PlannedRequest {
  readonly rows: number;
  readonly scale: Scale | 'mixed';
  /** Put into each float input: NaN or infinity, of which the answers beside it must know nothing. */
  readonly spoiled?: number;
}

/** Consecutive rows of a request in a run; all of its rows or a cut. */
export interface Segment {
  /** Index among all requests of the plan. */
  readonly request: number;
  readonly start: number;
  readonly rows: number;
}

/** The segments of one batch, one below the other. */
export type PlannedRun = readonly Segment[];

/**
 * A segment beside one neighbor and, at the same place, beside another of the same length. The kernels are the same, so
 * its answer must be, too, to the last bit.
 */
export interface Exchange {
  readonly run: PlannedRun;
  readonly exchanged: PlannedRun;
  /** Index of the segment that stays. */
  readonly kept: number;
}

/** Requests that are new, each to be run alone, and the batches to compare with that. */
export interface Stage {
  readonly requests: readonly PlannedRequest[];
  readonly runs: readonly PlannedRun[];
  readonly exchanges?: readonly Exchange[];
  /** True for values that the model may refuse, or even die of, when they are alone: that says nothing about batches. */
  readonly isOptional?: boolean;
}

const [SMALL, MEDIUM, LARGE] = SCALES;

/** What every model must pass: twelve runs of twenty-four rows, requests of different scale and length, both orders, one cut. */
const ESSENTIAL: readonly PlannedRequest[] = [
  { rows: 1, scale: MEDIUM },
  { rows: 2, scale: LARGE },
  { rows: 1, scale: SMALL },
];

/** Rows of the largest request that every model is tried with. */
export const ESSENTIAL_ROWS = Math.max(...ESSENTIAL.map(({ rows }) => rows));

const FURTHER: readonly PlannedRequest[] = [
  { rows: 7, scale: 'mixed' },
  { rows: 3, scale: MEDIUM },
];

const [FIRST, SECOND, THIRD] = wholes(ESSENTIAL, 0) as [Segment, Segment, Segment];

/** Both orders, and all of them. */
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
      // Equal rows, which a model may count or leave out.
      [FIRST, FIRST],
      ...cuts(SECOND, [1]),
    ],
    // The row of small values shows best what larger ones leak.
    exchanges: [{ run: [THIRD, FIRST], exchanged: [THIRD, cut(SECOND, 0, 1)], kept: 0 }],
  };
}

/**
 * Several requests, cuts at several places, alone and beside other requests, all pairs in both orders, and row by row. A
 * model that is slow is tried with the first of these only.
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
      // As the batcher cuts: the end of one request shares a batch with the beginning of another.
      [cut(long, 3, 7), cut(short, 0, 2)],
      [cut(short, 2, 3), cut(long, 0, 3)],
      ...cuts(long, [1, 3, 6]),
      ...cuts(short, [1, 2]),
      ...pairs.filter((pair) => pair.some(({ request }) => request >= ESSENTIAL.length)),
      ...oneByOne(long),
      [a, b, c],
    ],
    exchanges: [
      { run: [cut(long, 0, 3), short], exchanged: [cut(long, 3, 6), short], kept: 1 },
      { run: [short, a, c], exchanged: [short, cut(long, 6, 7), c], kept: 0 },
      { run: [b, a], exchanged: [b, c], kept: 0 },
    ],
  };
}

/** A request of so many rows, alone, cut, and behind a short one: for what depends on the size of the batch. */
export function longStage(rows: number, request: number): Stage {
  const [long] = wholes([{ rows, scale: 'mixed' }], request) as [Segment];
  return {
    requests: [{ rows, scale: 'mixed' }],
    runs: [...cuts(long, [Math.floor(rows / 2)]), [FIRST, long]],
  };
}

/** What tells most, for each further kind of values. */
export function briefStage(): Stage {
  return { requests: ESSENTIAL, runs: TOGETHER, isOptional: true };
}

/** A request with NaN or infinity beside clean ones. */
export function spoiledStage(value: number, request: number): Stage {
  const planned = { rows: 1, scale: MEDIUM, spoiled: value };
  const [spoiled] = wholes([planned], request) as [Segment];
  return {
    requests: [planned],
    runs: [[SECOND, spoiled]],
    exchanges: [{ run: [spoiled, FIRST], exchanged: [spoiled, THIRD], kept: 0 }],
    isOptional: true,
  };
}

/** Rows of a stage's new requests together. */
export function rowsOfRequests({ requests }: Stage): number {
  return requests.reduce((sum, { rows }) => sum + rows, 0);
}

export function rowsOf(run: PlannedRun): number {
  return run.reduce((sum, { rows }) => sum + rows, 0);
}

function wholes(requests: readonly PlannedRequest[], from: number): Segment[] {
  return requests.map(({ rows }, index) => ({ request: from + index, start: 0, rows }));
}

function cut({ request }: Segment, start: number, end: number): Segment {
  return { request, start, rows: end - start };
}

/** Both parts of each cut, as batches of their own. */
function cuts(whole: Segment, places: readonly number[]): PlannedRun[] {
  return places.flatMap((place) => [[cut(whole, 0, place)], [cut(whole, place, whole.rows)]]);
}

function oneByOne(whole: Segment): PlannedRun[] {
  return Array.from({ length: whole.rows }, (_, row) => [cut(whole, row, row + 1)]);
}
