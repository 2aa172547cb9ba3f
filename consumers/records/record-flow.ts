import type { KafkaError, KafkaRecord } from '../../kafka/port.js';
import type { Logger } from '../../core/log.js';
import { PartituraError } from '../../schemas/errors.js';
import type { Answer } from '../batching/batch.js';
import type { InFlightShare } from './in-flight.js';
import type { NodeMetrics } from './metrics.js';
import type { AnyOutcome, PartitionLease, RecordHandler } from './record-handler.js';
import { RecordJob, type JobOwner } from './record-job.js';
import type { RecordSpans } from './record-spans.js';

/** A record in flight, with the bytes held for it and, once there is one, its answer. */
export interface HeldRecord {
  readonly record: KafkaRecord;
  bytes: number;
}

/**
 * The consumer that a flow's records come from, and that their outcomes go back to.
 * @typeParam E the consumer's entry of a record
 */
export interface FlowSource<O, E> {
  held(entry: E): HeldRecord;
  /** Returns true once the record's next owner repeats its work. */
  isRevoked(entry: E): boolean;
  /** Returns true for a record that may have crashed its previous owner. */
  isSuspect(entry: E): boolean;
  /** Receives the outcome of a record, once it is known that it can be delivered. */
  settled(entry: E, outcome: O): void;
  /** Called when a record has crashed the process that computed it. */
  crashed(): void;
}

export interface FlowOptions {
  readonly model: string;
  readonly group: string;
  /** Called when these records are no longer consumed and consumption will not resume. */
  onStopped(error: Error): void;
}

/** The parts of a node that a flow uses. */
export interface FlowParts {
  /** This consumer's share of the node's in-flight limits. */
  readonly inFlight: InFlightShare;
  readonly metrics: NodeMetrics;
  readonly spans: RecordSpans;
  readonly log: Logger;
}

/**
 * The way of a record from its arrival to its outcome, and of the outcome to the broker, wherever the record comes from:
 * decision → work → outcome, then publication → acknowledgement.
 */
export class RecordFlow<W extends object, O extends AnyOutcome, E> {
  readonly #jobs: JobOwner<W, E> = {
    recordOf: (entry) => this.source.held(entry).record,
    isRevoked: (entry) => this.source.isRevoked(entry),
    answered: (job, answer) => this.#answered(job, answer),
    failed: (job, cause) => this.#failed(job, cause),
  };

  constructor(
    readonly handler: RecordHandler<W, O>,
    readonly source: FlowSource<O, E>,
    readonly options: FlowOptions,
    readonly parts: FlowParts,
  ) {}

  /** @param arrivedAt monotonic milliseconds */
  accept(entry: E, arrivedAt: number): void {
    const decision = this.#begin(entry);
    if (isOutcome(decision)) return this.finish(entry, decision);
    const job = new RecordJob(entry, decision, arrivedAt, this.#jobs);
    this.handler.start(decision, job, this.source.isSuspect(entry));
  }

  /** Ends a record without computing it. */
  refuse(entry: E, error: PartituraError): void {
    const decision = this.#begin(entry);
    const { record } = this.source.held(entry);
    this.finish(entry, isOutcome(decision) ? decision : this.handler.failed(record, decision, error));
  }

  /** Decides on a record; whatever fails here, the record gets an outcome, or its partition would stall. */
  #begin(entry: E): W | O {
    const { record } = this.source.held(entry);
    this.parts.spans.begin(record, this.options.group, this.options.model);
    try {
      return this.handler.decide(record);
    } catch (cause) {
      this.parts.log.error(
        { err: cause, topic: record.topic, partition: record.partition, offset: record.offset },
        'admission failed unexpectedly; the record becomes a dead letter',
      );
      return this.handler.deadLetter(record, 'validate', PartituraError.from(cause));
    }
  }

  #answered({ entry, work, arrivedAt }: RecordJob<W, E>, answer: Answer): void {
    const held = this.source.held(entry);
    this.parts.spans.answered(held.record, answer, arrivedAt);
    this.parts.metrics.queueSeconds.observe({ model: this.options.model }, answer.queueMs / 1_000);
    const bytes = answerBytes(answer);
    held.bytes += bytes;
    this.parts.inFlight.grow(bytes);
    this.finish(entry, this.handler.answered(held.record, work, answer));
  }

  #failed({ entry, work }: RecordJob<W, E>, cause: unknown): void {
    if (cause instanceof PartituraError && cause.code === 'MODEL_CRASHED') this.source.crashed();
    this.finish(entry, this.handler.failed(this.source.held(entry).record, work, cause));
  }

  /** Reports the outcome of a record, once it is known that it can be delivered. */
  finish(entry: E, outcome: O): void {
    const deliverable = this.handler.ensureDeliverable(outcome);
    if (!(deliverable instanceof Promise)) return this.source.settled(entry, deliverable);
    deliverable.then(
      (found) => this.source.settled(entry, found),
      (error: unknown) => this.options.onStopped(error as KafkaError),
    );
  }

  /** @param acknowledged called once the broker has everything that the outcome consists of */
  publish(entry: E, settled: O, lease: PartitionLease, acknowledged: () => void): void {
    const { record } = this.source.held(entry);
    const outcome = this.handler.released(settled);
    const label = this.handler.outcomeName(outcome);
    this.parts.metrics.requests.inc({ model: this.options.model, outcome: label });
    const ended = (): void => {
      this.parts.spans.end(record, label);
      acknowledged();
    };
    this.handler.publish(outcome, ended, lease);
  }
}

function answerBytes({ outputs }: Answer): number {
  let bytes = 0;
  for (const { data } of outputs) bytes += data.byteLength;
  return bytes;
}

function isOutcome<W extends object, O extends AnyOutcome>(decision: W | O): decision is O {
  return 'kind' in decision;
}
