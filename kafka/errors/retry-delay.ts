import { backoffMs, type Backoff } from '../../core/time.js';

/** Leaders and coordinators move within seconds; short retries find the new one within a quarter of a second. */
const MOVING: Backoff = { firstMs: 50, maxMs: 250 };
/** About fifteen seconds: longer than brokers take by default to detect a failed broker and elect a new leader. */
const MOVING_TRIES = 60;
/** Brokers that stay unavailable are retried less often. */
const AWAY: Backoff = { firstMs: 500, maxMs: 1_000 };

/**
 * Returns the milliseconds before a request is retried that failed because its broker is unavailable or no longer in
 * charge; `attempt` counts from 1.
 */
export function retryDelayMs(attempt: number, random = Math.random): number {
  if (attempt <= MOVING_TRIES) return backoffMs(MOVING, attempt, random);
  return backoffMs(AWAY, attempt - MOVING_TRIES, random);
}
