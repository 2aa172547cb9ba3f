import type { KafkaError, OutgoingRecord } from '../port.js';
import type { Outbox } from './outbox.js';

/** A record to send, and what to send instead if it is refused. `Self` is the type of all attempts of a chain. */
export interface Attempt<Self> {
  readonly record: OutgoingRecord;
  /** Returns the attempt after this failure; undefined if there is none. */
  next(failure: KafkaError): Self | undefined;
}

/** Called exactly once, with the attempt that was delivered or the last that failed. */
export interface AttemptDelivery<A> {
  delivered(attempt: A): void;
  failed(failure: KafkaError, attempt: A): void;
}

/** Sends an attempt and, as long as one fails, the next. */
export function sendAttempt<A extends Attempt<A>>(
  outbox: Outbox,
  attempt: A,
  delivery: AttemptDelivery<A>,
): void {
  outbox.push(attempt.record, {
    delivered: () => delivery.delivered(attempt),
    failed: (failure) => {
      const next = attempt.next(failure);
      if (next) sendAttempt(outbox, next, delivery);
      else delivery.failed(failure, attempt);
    },
  });
}

/** A record with smaller ones for a topic that finds it too large. */
export type SizedAttempt = Attempt<SizedAttempt>;

/** Tries a record and then smaller ones, until one is not too large. */
export function firstThatFits(record: OutgoingRecord, ...smaller: readonly OutgoingRecord[]): SizedAttempt {
  const [second, ...rest] = smaller;
  return {
    record,
    next: ({ kind }) => (kind === 'too-large' && second ? firstThatFits(second, ...rest) : undefined),
  };
}
