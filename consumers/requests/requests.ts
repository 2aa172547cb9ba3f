import type { FailureStage } from '../../schemas/headers/headers.js';
import type { KafkaRecord } from '../../kafka/port.js';
import type { PartituraError } from '../../schemas/errors.js';
import type { Admission, Admitted } from './admission.js';
import type { Answer } from '../batching/batch.js';
import type { RecordHandler } from '../records/record-handler.js';
import type { RunningJob } from '../records/record-job.js';
import type { CancelledRequests } from './cancelled-requests.js';
import { startOnModel } from './model-job.js';
import type { RegisteredSchemas } from './registered-schemas.js';
import { answerOutcome, failureOutcome } from './replies/answer.js';
import { deliverable } from './replies/deliverable.js';
import type { Destinations } from './replies/destinations.js';
import { isTooLate, outcomeName, refuseIfLate, type Outcome } from './replies/outcome.js';
import type { ReplyPublisher } from './replies/publisher.js';

/** The parts of a node that handle requests of any model. */
export interface RequestParts {
  readonly node: string;
  readonly admission: Admission;
  readonly publisher: ReplyPublisher;
  readonly destinations: Destinations;
  /** Undefined where no request can be cancelled. */
  readonly cancelled?: Pick<CancelledRequests, 'has'> | undefined;
  /** Undefined without a schema registry. */
  readonly schemas?: Pick<RegisteredSchemas, 'lookUp'> | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Handles requests for one model: admission → batcher → reply, error reply or dead letter. */
export class Requests implements RecordHandler<Admitted, Outcome> {
  readonly #isCancelled = ({ caller }: Admitted): boolean =>
    this.parts.cancelled?.has(caller.address.correlation) ?? false;

  constructor(
    readonly model: string,
    readonly parts: RequestParts,
  ) {}

  whenDecodable({ value, headers }: KafkaRecord): Promise<void> | undefined {
    return this.parts.schemas?.lookUp(value, headers, this.model);
  }

  decide(record: KafkaRecord): Admitted | Outcome {
    return this.parts.admission.decide(record, this.model);
  }

  start(admitted: Admitted, job: RunningJob<Admitted>, isSuspect: boolean): void {
    startOnModel(admitted, job, isSuspect, this.#isCancelled);
  }

  answered(record: KafkaRecord, admitted: Admitted, answer: Answer): Outcome {
    const { node, now } = this.parts;
    return answerOutcome(record, admitted, answer, { node, now: now() });
  }

  failed(record: KafkaRecord, admitted: Admitted, cause: unknown): Outcome {
    return failureOutcome(record, admitted, cause, this.parts.node);
  }

  deadLetter(record: KafkaRecord, stage: FailureStage, error: PartituraError): Outcome {
    return { kind: 'dead-letter', record, stage, error };
  }

  /** Returns the outcome, or a dead letter if its reply topic cannot be used. */
  ensureDeliverable(outcome: Outcome): Outcome | Promise<Outcome> {
    return deliverable(outcome, this.parts.destinations);
  }

  overtakes(outcome: Outcome): boolean {
    return isTooLate(outcome);
  }

  released(outcome: Outcome): Outcome {
    return refuseIfLate(outcome, this.parts.now(), this.parts.node);
  }

  outcomeName(outcome: Outcome): string {
    return outcomeName(outcome);
  }

  publish(outcome: Outcome, acknowledged: () => void): void {
    this.parts.publisher.publish(outcome, this.model, acknowledged);
  }
}
