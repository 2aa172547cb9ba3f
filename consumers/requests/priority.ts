import { invalidRequest } from '../../schemas/errors.js';

/**
 * Head start of each level of priority. A request of priority p is computed as if it had arrived p seconds earlier: it
 * overtakes what has waited for less than that, so that a request of priority 0 waits for at most those that arrive within
 * the nine seconds after it.
 */
const STEP_MS = 1_000;
/** Bulk work waits for all requests that arrive within this time after it. */
const BULK_MS = 30_000;
/** Priority of bulk work: it goes into idle capacity. */
export const BULK = 'bulk';

/** Returns the head start of a request, milliseconds. @throws PartituraError INVALID_REQUEST for another value than 0 to 9 or `bulk` */
export function headStartMs(priority: string | undefined): number {
  if (priority === undefined) return 0;
  if (priority === BULK) return -BULK_MS;
  if (/^[0-9]$/.test(priority)) return Number(priority) * STEP_MS;
  throw invalidRequest(`parameters.priority: expected 0 to 9 or '${BULK}', got '${priority}'`);
}
