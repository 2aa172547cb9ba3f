import type { KafkaRecord } from '../../kafka/port.js';
import type { Answer, Job } from '../batching/batch.js';
import type { RowTensor } from '../batching/rows.js';
import type { CommittedPartition } from './committer.js';
import type { PartitionLease, Work } from './record-handler.js';
import type { Entry, PartitionLedger } from './ledger.js';

/** A record between arrival and acknowledged outcome. */
export interface InFlightRecord<O> {
  readonly record: KafkaRecord;
  /** Of the record, and of its answer once there is one. */
  bytes: number;
  readonly partition: OwnedPartition<O>;
}

export type RecordEntry<O> = Entry<InFlightRecord<O>, O>;

/** A partition while it is ours; what is still under way when it goes is dropped and answered by its next owner. */
export interface OwnedPartition<O> extends CommittedPartition, PartitionLease {
  readonly ledger: PartitionLedger<InFlightRecord<O>, O>;
  revoked: boolean;
  /** Settles when the partition is open; undefined before its first record and when it is. */
  opening: Promise<void> | undefined;
}

/** The owner of jobs, called once with the end of each. */
export interface JobOwner<W extends Work, O> {
  answered(job: RecordJob<W, O>, answer: Answer): void;
  failed(job: RecordJob<W, O>, cause: unknown): void;
}

/** A record's work as the batcher sees it: a class, because closures for each would cost more than its decoding. */
export class RecordJob<W extends Work, O> implements Job {
  readonly inputs: readonly RowTensor[];
  readonly rows: number;
  readonly laneKey: string;
  readonly mustBeAlone: boolean;
  readonly deadline: number | null;

  constructor(
    readonly entry: RecordEntry<O>,
    readonly work: W,
    readonly arrivedAt: number,
    readonly owner: JobOwner<W, O>,
  ) {
    const { valid, deadline } = work;
    this.inputs = valid.inputs;
    this.rows = valid.rows;
    this.laneKey = valid.laneKey;
    this.mustBeAlone = valid.mustBeAlone;
    this.deadline = deadline;
  }

  answered(answer: Answer): void {
    this.owner.answered(this, answer);
  }

  failed(cause: unknown): void {
    this.owner.failed(this, cause);
  }
}
