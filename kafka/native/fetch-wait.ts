/** Result of the last fetch from a broker. */
export interface RecentFetch {
  readonly records: number;
  readonly bytes: number;
  /** Size it waited for. */
  readonly minBytes: number;
}

/** Long-polling limits of the next fetch: it returns with `minBytes`, or after `maxWaitMs`. */
export interface FetchWait {
  readonly minBytes: number;
  readonly maxWaitMs: number;
}

/**
 * A resumed partition waits for the fetch in flight, which does not include it; fetches must therefore be short, even
 * if there is nothing to fetch.
 */
const IDLE_WAIT_MS = 200;
/** Records per fetch above which there are enough callers for more to arrive soon. */
const MIN_RECORDS_TO_WAIT = 4;
/** Larger fetches bring no further gain. */
const MAX_TARGET_BYTES = 64 * 1024;
const GATHERING_WAIT_MS = 3;
/**
 * Target of the next fetch relative to this one: after a fetch that reached its target, and after one that did not.
 */
const GROWTH = 1.25;
const SHRINKAGE = 0.8;

/**
 * Computes the long-polling limits of the next fetch. A lone fetch never waits. Under load, small fetches would
 * perpetuate themselves: each costs the broker a request, which delays further records, which keeps the next fetch
 * small. So a fetch waits briefly for slightly more than the last one returned. If that does not arrive in time, the
 * callers' records are all here, and the next fetch waits for slightly less.
 */
export function nextFetchWait(recent: RecentFetch | undefined): FetchWait {
  if (!recent || recent.records < MIN_RECORDS_TO_WAIT) return { minBytes: 1, maxWaitMs: IDLE_WAIT_MS };
  const wanted = Math.round(recent.bytes * (recent.bytes >= recent.minBytes ? GROWTH : SHRINKAGE));
  return { minBytes: Math.min(wanted, MAX_TARGET_BYTES), maxWaitMs: GATHERING_WAIT_MS };
}
