import { sendAttempt } from '../../kafka/sending/attempt.js';
import type { Outbox } from '../../kafka/sending/outbox.js';
import { KafkaError, type KafkaRecord, type OutgoingRecord } from '../../kafka/port.js';
import type { PartituraError } from '../../schemas/errors.js';
import { whyNotWritten, type DeadLetterTarget } from '../records/dead-letter.js';
import type { BoundOutcome, BoundPublisher } from './bound-records.js';
import { attemptOf } from './outcome-attempt.js';

export interface BoundPublisherOptions extends DeadLetterTarget {
  /** Rejects with `too-large` for a record that the broker would refuse; undefined if nothing has to be looked up. */
  fits?(record: OutgoingRecord): Promise<void> | undefined;
  /** Called when an outcome cannot be published; the binding has to restart. */
  onStopped(error: Error): void;
  onDeadLetter(record: KafkaRecord, error: PartituraError): void;
}

/** Publishes outcomes through the node's outbox: at least once. */
export class OutboxPublisher implements BoundPublisher {
  constructor(
    readonly outbox: Outbox,
    readonly options: BoundPublisherOptions,
  ) {}

  publish(outcome: BoundOutcome, acknowledged: () => void): void {
    sendAttempt(this.outbox, attemptOf(outcome, this.options), {
      delivered: ({ error }) => {
        if (error) this.options.onDeadLetter(outcome.record, error);
        acknowledged();
      },
      failed: (failure, { record }) => this.options.onStopped(refusedWrite(record.topic, failure)),
    });
  }

  /** Does nothing: the outbox belongs to the node. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Names the missing right if that is why the write failed. */
function refusedWrite(topic: string, failure: KafkaError): Error {
  const { kind } = failure;
  return kind === 'not-authorized'
    ? new KafkaError(kind, whyNotWritten(topic, failure), { cause: failure })
    : failure;
}
