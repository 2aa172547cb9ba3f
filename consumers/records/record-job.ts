import type { KafkaRecord } from '../../kafka/port.js';
import type { Answer } from '../batching/batch.js';
import type { CommittedPartition } from './committer.js';
import type { Entry, PartitionLedger } from './ledger.js';
import type { PartitionLease } from './record-handler.js';

/** A record from its fetch to its acknowledged outcome. */
export interface InFlightRecord<O> {
  readonly record: KafkaRecord;
  /** Bytes held for the record and, once there is one, its answer. */
  bytes: number;
  readonly partition: OwnedPartition<O>;
}

export type RecordEntry<O> = Entry<InFlightRecord<O>, O>;

/** A partition while it is assigned to this node. Work in flight at revocation is dropped; the next owner repeats it. */
export interface OwnedPartition<O> extends CommittedPartition, PartitionLease {
  readonly ledger: PartitionLedger<InFlightRecord<O>, O>;
  revoked: boolean;
  /** Records after the last one that was read, as of the last fetch. */
  lagRecords: number;
  /** Settles when the partition is open; undefined before its first record and once it is open. */
  opening: Promise<void> | undefined;
}

/** The receiver of finished jobs; each job is reported exactly once. */
export interface JobOwner<W, O> {
  answered(job: RecordJob<W, O>, answer: Answer): void;
  failed(job: RecordJob<W, O>, cause: unknown): void;
}

/** The work of one record while it is computed. A class, because closures per record would cost more than decoding it. */
export class RecordJob<W, O> {
  constructor(
    readonly entry: RecordEntry<O>,
    readonly work: W,
    /** Monotonic milliseconds. */
    readonly arrivedAt: number,
    readonly owner: JobOwner<W, O>,
  ) {}

  answered(answer: Answer): void {
    this.owner.answered(this, answer);
  }

  failed(cause: unknown): void {
    this.owner.failed(this, cause);
  }
}
