/** What the last fetch from a broker brought. */
export interface RecentFetch {
  readonly records: number;
  readonly bytes: number;
  /** From the request to its answer, milliseconds. */
  readonly tookMs: number;
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

/**
 * Decides how patient the next fetch is. Now: never when there is anything. Small fetches keep a busy broker busy with
 * requests, so waiting for a little more can pay under load; this is the one place to decide it.
 */
export function nextFetchWait(_recent: RecentFetch | undefined): FetchWait {
  return { minBytes: 1, maxWaitMs: IDLE_WAIT_MS };
}
