import { recordBytes } from '../../kafka/sending/record-bytes.js';
import { type KafkaError, type GroupOffsets, type TransactionalProducer } from '../../kafka/port.js';
import type { PartitionLease } from '../records/record-handler.js';
import type { BoundOutcome, BoundPublisher } from './bound-records.js';
import { attemptOf, isRefusal, type OutcomeAttempt } from './outcome-attempt.js';
import type { BoundPublisherOptions } from './outbox-publisher.js';

const MAX_RECORDS = 1_000;
const MAX_BYTES = 1_000_000;

/** An outcome to send, with the record to try next. */
interface PendingResult {
  readonly outcome: BoundOutcome;
  readonly claim: PartitionLease;
  readonly acknowledged: () => void;
  attempt: OutcomeAttempt;
}

/**
 * Sends outcomes in transactions, each with the positions after its sources: all or nothing, so every source record has
 * one result. One transaction is in flight at a time; outcomes that arrive meanwhile go with the next.
 *
 * A transaction names the member to which the partitions were assigned. After a rebalance the broker refuses it, and the
 * new owner starts where the last transaction ended.
 */
export class TransactionalPublisher implements BoundPublisher {
  #closed = false;
  #queue: PendingResult[] = [];
  #sending: Promise<void> | undefined;

  /** @param producer a connected producer */
  constructor(
    readonly producer: TransactionalProducer,
    readonly options: BoundPublisherOptions,
  ) {}

  publish(outcome: BoundOutcome, acknowledged: () => void, claim: PartitionLease): void {
    const attempt = attemptOf(outcome, this.options);
    this.#queue.push({ outcome, claim, acknowledged, attempt });
    this.#sending ??= this.#run();
  }

  /** Discards unsent outcomes and closes the producer. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#queue = [];
    await this.#sending;
    await this.producer.close();
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    try {
      while (this.#queue.length > 0) await this.#send(this.#take());
    } catch (error) {
      this.#queue = [];
      if (!this.#closed) this.options.onStopped(error as Error);
    } finally {
      this.#sending = undefined;
    }
  }

  /** Takes the outcomes of the next transaction: bounded, and all with leases of one assignment. */
  #take(): PendingResult[] {
    const [first] = this.#queue;
    let bytes = 0;
    let count = 0;
    for (const { attempt, claim } of this.#queue) {
      bytes += recordBytes(attempt.record);
      const isFull = count === MAX_RECORDS || (count > 0 && bytes > MAX_BYTES);
      if (isFull || claim.member.generation !== first?.claim.member.generation) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  /**
   * Stops after any other failure: the transaction may have been committed without a response. It is not retried, and the
   * binding restarts at the group's positions.
   */
  async #send(parcels: readonly PendingResult[]): Promise<void> {
    try {
      await this.#transact(parcels.filter(({ claim }) => !claim.revoked));
      for (const parcel of parcels) this.#settle(parcel);
    } catch (cause) {
      const error = cause as KafkaError;
      if (error.kind === 'rebalanced') drop(parcels);
      else if (isRefusal(error)) await this.#sendSmaller(parcels, error);
      else throw cause;
    }
  }

  async #transact(parcels: readonly PendingResult[]): Promise<void> {
    const [first] = parcels;
    if (!first) return;
    const records = parcels.map(({ attempt }) => attempt.record);
    for (const record of records) await this.options.fits?.(record);
    await this.producer.sendWithOffsets(records, {
      member: first.claim.member,
      positions: positionsOf(parcels),
    });
  }

  #settle({ outcome, attempt, acknowledged }: PendingResult): void {
    if (attempt.error) this.options.onDeadLetter(outcome.record, attempt.error);
    acknowledged();
  }

  /** Sends halves as transactions of their own until the refused outcome is alone; its next attempt follows. */
  async #sendSmaller(parcels: readonly PendingResult[], error: KafkaError): Promise<void> {
    const [only] = parcels;
    if (!only) return;
    if (parcels.length > 1) {
      const middle = Math.ceil(parcels.length / 2);
      await this.#send(parcels.slice(0, middle));
      return this.#send(parcels.slice(middle));
    }
    const next = only.attempt.next(error);
    if (!next) throw error;
    only.attempt = next;
    return this.#send([only]);
  }
}

/** Drops outcomes of revoked partitions, which their new owner repeats. */
function drop(parcels: readonly PendingResult[]): void {
  for (const { acknowledged } of parcels) acknowledged();
}

/** Returns the positions after the last record of each partition. */
function positionsOf(parcels: readonly PendingResult[]): GroupOffsets['positions'] {
  const positions = new Map<number, GroupOffsets['positions'][number]>();
  for (const { outcome, claim } of parcels) {
    const { topic, partition, offset } = outcome.record;
    positions.set(partition, { topic, partition, offset: offset + 1, metadata: claim.markOf(offset + 1) });
  }
  return [...positions.values()];
}
