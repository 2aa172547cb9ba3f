/** What the last fetch from a broker brought. */
export interface RecentFetch {
  readonly records: number;
  readonly bytes: number;
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
const GATHERING_WAIT_MS = 2;

/**
 * Decides how patient the next fetch is. A fetch that is alone never waits. Under load small fetches would sustain
 * themselves: each costs the broker a request, which keeps it from taking more records, which keeps the next fetch
 * small. So the next one gathers twice as much as the last had, until it has enough or a moment has passed; what comes
 * of it decides about the one after it.
 */
export function nextFetchWait(recent: RecentFetch | undefined): FetchWait {
  if (!recent || recent.records < SEVERAL_RECORDS) return { minBytes: 1, maxWaitMs: IDLE_WAIT_MS };
  return { minBytes: Math.min(2 * recent.bytes, ENOUGH_BYTES), maxWaitMs: GATHERING_WAIT_MS };
}
