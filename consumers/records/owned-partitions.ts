import type { GroupMembership, TopicPartition } from '../../kafka/port.js';
import type { CrashCount } from './crash-count.js';
import { PartitionLedger } from './ledger.js';
import type { InFlightRecord, OwnedPartition } from './record-job.js';

/** Ledger entries of one partition at which its fetches stop: finished records wait in it for a slow one before them. */
const MAX_LEDGER_ENTRIES = 250_000;

export interface OwnedPartitionsOptions<O> {
  readonly ordered: boolean;
  readonly membership: () => GroupMembership;
  readonly markOf: (partition: OwnedPartition<O>, position: number) => string;
}

/** The partitions that are assigned to one consumer, with their ledgers. */
export class OwnedPartitions<O> {
  readonly #partitions = new Map<number, OwnedPartition<O>>();
  #drainWaiters: (() => void)[] = [];
  #ledgerWaiters: (() => void)[] = [];

  constructor(readonly options: OwnedPartitionsOptions<O>) {}

  get all(): OwnedPartition<O>[] {
    return [...this.#partitions.values()];
  }

  get(partition: number): OwnedPartition<O> | undefined {
    return this.#partitions.get(partition);
  }

  /** Records in flight over all partitions. */
  get pending(): number {
    let pending = 0;
    for (const { ledger } of this.#partitions.values()) pending += ledger.pending;
    return pending;
  }

  /** @param crashes of the same partition, if it is opened again without a new assignment */
  own({ topic, partition }: TopicPartition, crashes?: CrashCount): OwnedPartition<O> {
    const owned: OwnedPartition<O> = {
      topic,
      partition,
      ledger: new PartitionLedger<InFlightRecord<O>, O>(this.options.ordered),
      revoked: false,
      lagRecords: 0,
      member: this.options.membership(),
      crashes,
      opening: undefined,
      markOf: (position) => this.options.markOf(owned, position),
    };
    this.#partitions.set(partition, owned);
    return owned;
  }

  /** Removes a partition and marks it as revoked. @returns undefined if it is not owned */
  revoke(number: number): OwnedPartition<O> | undefined {
    const partition = this.#partitions.get(number);
    if (!partition) return undefined;
    partition.revoked = true;
    this.#partitions.delete(number);
    this.#wakeLedgerWaiters();
    return partition;
  }

  /** Returns a promise while the partition's ledger is full. */
  whenLedgerHasRoom(partition: number): Promise<void> | undefined {
    if ((this.#partitions.get(partition)?.ledger.pending ?? 0) < MAX_LEDGER_ENTRIES) return undefined;
    return new Promise((resolve) => this.#ledgerWaiters.push(resolve));
  }

  /** Resolves once no record is in flight. */
  drained(): Promise<void> {
    if (this.pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drainWaiters.push(resolve));
  }

  /** Called after a record of the partition has left its ledger. */
  left({ ledger }: OwnedPartition<O>): void {
    if (this.#ledgerWaiters.length > 0 && ledger.pending < MAX_LEDGER_ENTRIES / 2) this.#wakeLedgerWaiters();
    if (this.#drainWaiters.length > 0 && this.pending === 0)
      for (const resolve of this.#drainWaiters.splice(0)) resolve();
  }

  #wakeLedgerWaiters(): void {
    for (const resolve of this.#ledgerWaiters.splice(0)) resolve();
  }
}
