import type { Outbox } from '../../kafka/sending/outbox.js';
import { KafkaError, type KafkaRecord, type OutgoingRecord } from '../../kafka/port.js';
import type { PartituraError } from '../../schemas/errors.js';
import { whyNotWritten } from '../records/dead-letter.js';
import type { BoundOutcome, BoundPublisher } from './bound-records.js';
import { fallbacksAfter, fallbacksOf, isRefusal, type Fallback, type DeadLetterTarget } from './fallbacks.js';

export interface BoundPublisherOptions extends DeadLetterTarget {
  /** Fails with `too-large` for a record that the broker would not take; undefined where that need not be found out. */
  fits?(record: OutgoingRecord): Promise<void> | undefined;
  /** An outcome could not be put anywhere: the binding must begin anew. */
  onStopped(error: Error): void;
  onDeadLetter(record: KafkaRecord, error: PartituraError): void;
}

/** Sends outcomes with all else that the node sends: at least once. */
export class OutboxPublisher implements BoundPublisher {
  constructor(
    readonly outbox: Outbox,
    readonly options: BoundPublisherOptions,
  ) {}

  publish(outcome: BoundOutcome, acknowledged: () => void): void {
    this.#send(outcome, fallbacksOf(outcome, this.options), acknowledged);
  }

  #send(outcome: BoundOutcome, forms: readonly Fallback[], acknowledged: () => void): void {
    const [form] = forms;
    if (!form) return;
    this.outbox.push(form.record, {
      delivered: () => {
        if (form.error) this.options.onDeadLetter(outcome.record, form.error);
        acknowledged();
      },
      failed: (failure) => {
        const left = isRefusal(failure) ? fallbacksAfter(outcome, forms, failure, this.options) : [];
        if (left.length > 0) this.#send(outcome, left, acknowledged);
        else this.options.onStopped(refusedWrite(form.record.topic, failure));
      },
    });
  }

  /** The outbox is the node's. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** The binding fails with what its node lacks, where that is why. */
function refusedWrite(topic: string, failure: KafkaError): Error {
  const { kind } = failure;
  return kind === 'not-authorized'
    ? new KafkaError(kind, whyNotWritten(topic, failure), { cause: failure })
    : failure;
}
