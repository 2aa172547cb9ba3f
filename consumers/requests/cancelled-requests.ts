import { readCancellation } from '../../cluster/cancellations.js';
import type { KafkaRecord } from '../../kafka/port.js';

/** Requests live shorter than this unless their deadline is longer, milliseconds. */
const KEEP_MS = 5 * 60_000;
/** Bounds memory: about 20 MB. */
const MAX_IDS = 100_000;

/** Correlation ids of abandoned requests. The oldest are forgotten first: their requests are then computed. */
export class CancelledRequests {
  /** Time until which an id is kept, oldest first. */
  readonly #expiry = new Map<string, number>();

  /** @param now milliseconds since the epoch */
  constructor(readonly now: () => number) {}

  /** Adds the ids of records of the cancellation topic. */
  add(records: readonly KafkaRecord[]): void {
    const now = this.now();
    for (const record of records)
      for (const correlation of readCancellation(record)) {
        this.#expiry.delete(correlation);
        this.#expiry.set(correlation, now + KEEP_MS);
      }
    for (const [correlation, expiry] of this.#expiry) {
      if (expiry > now && this.#expiry.size <= MAX_IDS) break;
      this.#expiry.delete(correlation);
    }
  }

  /** Returns true if the request with this correlation id has been abandoned. */
  has(correlation: Buffer | undefined): boolean {
    if (this.#expiry.size === 0 || correlation === undefined) return false;
    return this.#expiry.has(correlation.toString('utf8'));
  }
}
