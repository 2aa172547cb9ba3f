/** What the last fetch from a broker brought. */
export interface RecentFetch {
  readonly records: number;
  readonly bytes: number;
  /** What it was told to wait for. */
  readonly minBytes: number;
}

/** How long the broker may hold the next fetch back: until it has `minBytes`, at most `maxWaitMs`. */
export interface FetchWait {
  readonly minBytes: number;
  readonly maxWaitMs: number;
}

/**
 * A partition that is resumed waits for the fetch under way, which does not ask for it: so none may wait long, even
 * when there is nothing to fetch.
 */
const IDLE_WAIT_MS = 200;
/** Records in one fetch from which on there are callers enough for more to come at once. */
const SEVERAL_RECORDS = 4;
/** More than this in one fetch gains nothing. */
const ENOUGH_BYTES = 64 * 1024;
const GATHERING_WAIT_MS = 3;
/** What the next fetch waits for, as part of what this one brought: after one that got what it waited for, and after others. */
const MORE = 1.25;
const LESS = 0.8;

/**
 * Decides how patient the next fetch is. A fetch that is alone never waits. Under load small fetches would sustain
 * themselves: each costs the broker a request, which keeps it from taking more records, which keeps the next fetch
 * small. So a fetch waits a moment for a little more than the last one brought. When that does not come in time, all that
 * is under way has come: the next one waits for a little less than that, and goes as soon as it is there.
 */
export function nextFetchWait(recent: RecentFetch | undefined): FetchWait {
  if (!recent || recent.records < SEVERAL_RECORDS) return { minBytes: 1, maxWaitMs: IDLE_WAIT_MS };
  const wanted = Math.round(recent.bytes * (recent.bytes >= recent.minBytes ? MORE : LESS));
  return { minBytes: Math.min(wanted, ENOUGH_BYTES), maxWaitMs: GATHERING_WAIT_MS };
}
