import type { GroupMembership, KafkaRecord } from '../../kafka/port.js';
import type { PartituraError } from '../../schemas/errors.js';
import type { FailureStage } from '../../schemas/headers/headers.js';
import type { Answer } from '../batching/batch.js';
import type { RunningJob } from './record-job.js';

/** A partition between its assignment and its revocation. */
export interface PartitionLease {
  /** True after revocation: the partition's next owner repeats what is in flight. */
  readonly revoked: boolean;
  /** Membership under which the partition was assigned. */
  readonly member: GroupMembership;
  /** Returns the metadata to commit with a position of this partition. */
  markOf(position: number): string;
}

/** The end of a record: a reply, a result, a dead letter or a tombstone. */
export interface AnyOutcome {
  readonly kind: string;
  readonly record: KafkaRecord;
}

/**
 * The meaning of a topic's records to a node: requests of callers, or source records of a binding. A `RecordConsumer`
 * moves each record from its fetch to the committed offset and delegates to a handler what happens to it.
 * @typeParam W the work that a record asks for
 * @typeParam O the outcomes that a record can have
 */
export interface RecordHandler<W extends object, O extends AnyOutcome> {
  /** Returns a promise if the record's partition has to wait, as for a schema. The promise may never settle. */
  whenDecodable(record: KafkaRecord): Promise<void> | undefined;
  /** Decodes and validates a record: returns its work, or its outcome if it ends here. Pure. */
  decide(record: KafkaRecord): W | O;
  /**
   * Starts the work; it ends with exactly one of `job.answered` and `job.failed`.
   * @param isSuspect true for a record that may have crashed its previous owner
   */
  start(work: W, job: RunningJob<W>, isSuspect: boolean): void;
  answered(record: KafkaRecord, work: W, answer: Answer): O;
  failed(record: KafkaRecord, work: W, cause: unknown): O;
  /** Returns the outcome of a record that cannot be processed. */
  deadLetter(record: KafkaRecord, stage: FailureStage, error: PartituraError): O;
  /** Returns an outcome that can be delivered; a promise where that has to be looked up. @throws Error if lookup fails for good */
  ensureDeliverable(outcome: O): O | Promise<O>;
  /** Returns true if the outcome leaves ahead of earlier outcomes of its partition. */
  overtakes(outcome: O): boolean;
  /** Returns the outcome to publish now; it may have waited for earlier ones and be late. */
  released(outcome: O): O;
  /** Returns the label of the outcome in metrics. */
  outcomeName(outcome: O): string;
  /** @param acknowledged called once the broker has everything that the outcome consists of */
  publish(outcome: O, acknowledged: () => void, lease: PartitionLease): void;
}
