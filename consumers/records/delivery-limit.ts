/** Deliveries after which brokers archive a record by default (`group.share.delivery.count.limit`). */
export const DEFAULT_DELIVERY_LIMIT = 5;
/** Deliveries that a record gets in any case: an ordinary one, and two as a suspect. */
const COMPUTED_DELIVERIES = 3;

/**
 * Returns the delivery at which a record becomes a dead letter without being computed: one before the broker's last, after
 * which the broker would archive it silently, so that another crash at that moment does not lose it.
 */
export function lastResortDelivery(limit: number): number {
  return Math.min(limit, Math.max(COMPUTED_DELIVERIES, limit - 1));
}
