import type { Outbox } from './outbox.js';
import type { KafkaError, OutgoingRecord } from '../port.js';

/** Sends the first of these records that is not too large. */
export function sendFirstThatFits(
  outbox: Outbox,
  [first, ...smaller]: readonly OutgoingRecord[],
  delivered: () => void,
  failed: (failure: KafkaError) => void,
): void {
  if (!first) return;
  outbox.push(first, {
    delivered,
    failed: (failure) => {
      if (failure.kind === 'too-large' && smaller.length > 0)
        sendFirstThatFits(outbox, smaller, delivered, failed);
      else failed(failure);
    },
  });
}
