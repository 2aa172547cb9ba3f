import { backoffMs, type Backoff } from '../../core/time.js';

/** Leaders and coordinators move within seconds: whoever waits for one finds it a quarter of a second later at most. */
const MOVING: Backoff = { firstMs: 50, maxMs: 250 };
/** About fifteen seconds, which is more than brokers take by default to miss one of them and to elect another. */
const MOVING_TRIES = 60;
/** Brokers that stay away are asked less often. */
const AWAY: Backoff = { firstMs: 500, maxMs: 1_000 };

/** Milliseconds before a request is repeated that failed because its broker is away or not in charge; `attempt` counts from 1. */
export function retryDelayMs(attempt: number, random = Math.random): number {
  if (attempt <= MOVING_TRIES) return backoffMs(MOVING, attempt, random);
  return backoffMs(AWAY, attempt - MOVING_TRIES, random);
}
