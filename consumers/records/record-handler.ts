import type { FailureStage } from '../../schemas/headers/headers.js';
import type { GroupMembership, KafkaRecord } from '../../kafka/port.js';
import type { PartituraError } from '../../schemas/errors.js';
import type { Answer } from '../batching/batch.js';
import type { ServedVersion } from '../models/served-version.js';
import type { ValidRequest } from '../models/validate.js';

/** What a record asks of a model. */
export interface Work {
  readonly version: ServedVersion;
  readonly valid: ValidRequest;
  /** Milliseconds since the epoch; null where it is never too late. */
  readonly deadline: number | null;
}

/** What a consumer has of a partition, from one assignment to the next. */
export interface PartitionLease {
  /** Whether it is over: what is still under way is done again by the partition's next owner. */
  readonly revoked: boolean;
  /** By what the group knew this consumer when it got the partition. */
  readonly member: GroupMembership;
  /** Metadata to commit with a position of this partition. */
  markOf(position: number): string;
}

/** How a record ends, in whatever way. */
export interface AnyOutcome {
  readonly kind: string;
  readonly record: KafkaRecord;
}

/**
 * What the records of a topic are to a node: requests of callers, or records of a binding. A `RecordConsumer` moves each
 * from the fetch to the committed offset and asks here what it means and what becomes of it.
 */
export interface RecordHandler<W extends Work, O extends AnyOutcome> {
  /** A promise when something must be known first: the record's partition waits for it. It may never be settled. */
  whenDecodable(record: KafkaRecord): Promise<void> | undefined;
  /** What the record asks for, or how it ends already. Touches nothing but the record. */
  decide(record: KafkaRecord): W | O;
  answered(record: KafkaRecord, work: W, answer: Answer): O;
  failed(record: KafkaRecord, work: W, cause: unknown): O;
  /** The end of a record that can't be processed. */
  deadLetter(record: KafkaRecord, stage: FailureStage, error: PartituraError): O;
  /** The outcome as it can be delivered; a promise where that has to be found out. @throws Error when it can't be */
  ensureDeliverable(outcome: O): O | Promise<O>;
  /** Whether it leaves at once, ahead of earlier outcomes. */
  overtakes(outcome: O): boolean;
  /** The outcome as it is when it leaves: in order, it may have waited for earlier ones. */
  released(outcome: O): O;
  /** The outcome as metrics count it. */
  outcomeName(outcome: O): string;
  /**
   * @param acknowledged called when the broker has all that the outcome consists of
   * @param claim on the record's partition
   */
  publish(outcome: O, acknowledged: () => void, claim: PartitionLease): void;
}
