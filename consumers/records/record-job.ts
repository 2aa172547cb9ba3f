import type { KafkaRecord } from '../../kafka/port.js';
import type { Answer } from '../batching/batch.js';
import type { CommittedPartition } from './committer.js';
import type { Entry, PartitionLedger } from './ledger.js';
import type { HeldRecord } from './record-flow.js';
import type { PartitionLease } from './record-handler.js';

/** A record from its fetch to its acknowledged outcome. */
export interface InFlightRecord<O> extends HeldRecord {
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
export interface JobOwner<W, E> {
  recordOf(entry: E): KafkaRecord;
  isRevoked(entry: E): boolean;
  answered(job: RecordJob<W, E>, answer: Answer): void;
  failed(job: RecordJob<W, E>, cause: unknown): void;
}

/** Work in progress, as the handler that does it sees it. */
export interface RunningJob<W> {
  readonly work: W;
  readonly record: KafkaRecord;
  /** True once the record's next owner repeats the work. */
  readonly isRevoked: boolean;
  /** Monotonic milliseconds. */
  readonly arrivedAt: number;
  answered(answer: Answer): void;
  failed(cause: unknown): void;
}

/**
 * The work of one record while it is computed. A class, because closures per record would cost more than decoding it.
 * @typeParam E the consumer's entry of the record
 */
export class RecordJob<W, E> implements RunningJob<W> {
  constructor(
    readonly entry: E,
    readonly work: W,
    readonly arrivedAt: number,
    readonly owner: JobOwner<W, E>,
  ) {}

  get record(): KafkaRecord {
    return this.owner.recordOf(this.entry);
  }

  get isRevoked(): boolean {
    return this.owner.isRevoked(this.entry);
  }

  answered(answer: Answer): void {
    this.owner.answered(this, answer);
  }

  failed(cause: unknown): void {
    this.owner.failed(this, cause);
  }
}
