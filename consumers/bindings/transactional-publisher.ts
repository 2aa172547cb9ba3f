import { recordBytes } from '../../kafka/sending/record-bytes.js';
import { type KafkaError, type GroupOffsets, type TransactionalProducer } from '../../kafka/port.js';
import type { PartitionLease } from '../records/record-handler.js';
import type { BoundOutcome, BoundPublisher } from './bound-records.js';
import { fallbacksAfter, fallbacksOf, isRefusal, type Fallback } from './fallbacks.js';
import type { BoundPublisherOptions } from './outbox-publisher.js';

const MAX_RECORDS = 1_000;
const MAX_BYTES = 1_000_000;

/** An outcome on its way, in the form to be tried next. */
interface PendingResult {
  readonly outcome: BoundOutcome;
  readonly claim: PartitionLease;
  readonly acknowledged: () => void;
  forms: readonly Fallback[];
}

/**
 * Sends outcomes in transactions, each with the positions behind its sources: either all of it is there or nothing, so
 * every source has one result. One is under way at a time, and all that comes meanwhile goes with the next.
 *
 * A transaction names the member that got the partitions. Once the group has moved on the broker refuses it, and whoever
 * has the partitions now begins where the last transaction ended.
 */
export class TransactionalPublisher implements BoundPublisher {
  #closed = false;
  #queue: PendingResult[] = [];
  #sending: Promise<void> | undefined;

  /** @param producer connected */
  constructor(
    readonly producer: TransactionalProducer,
    readonly options: BoundPublisherOptions,
  ) {}

  publish(outcome: BoundOutcome, acknowledged: () => void, claim: PartitionLease): void {
    const forms = fallbacksOf(outcome, this.options);
    this.#queue.push({ outcome, claim, acknowledged, forms });
    this.#sending ??= this.#run();
  }

  /** Gives up what is not yet sent, and closes the producer. */
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

  /** As many as one transaction may have, all with the claims of one assignment. */
  #take(): PendingResult[] {
    const [first] = this.#queue;
    let bytes = 0;
    let count = 0;
    for (const { forms, claim } of this.#queue) {
      if (forms[0]) bytes += recordBytes(forms[0].record);
      const isFull = count === MAX_RECORDS || (count > 0 && bytes > MAX_BYTES);
      if (isFull || claim.member.generation !== first?.claim.member.generation) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  /**
   * A transaction that failed in any other way may be there all the same: the broker was not heard to the end. So it is
   * not tried again, and the binding begins anew where the group's positions say.
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
    const records = parcels.flatMap(({ forms }) => (forms[0] ? [forms[0].record] : []));
    for (const record of records) await this.options.fits?.(record);
    await this.producer.sendWithOffsets(records, {
      member: first.claim.member,
      positions: positionsOf(parcels),
    });
  }

  #settle({ outcome, forms, acknowledged }: PendingResult): void {
    const error = forms[0]?.error;
    if (error) this.options.onDeadLetter(outcome.record, error);
    acknowledged();
  }

  /** Each half is a transaction of its own, until the one outcome is found that is refused; it takes its next form. */
  async #sendSmaller(parcels: readonly PendingResult[], error: KafkaError): Promise<void> {
    const [only] = parcels;
    if (!only) return;
    if (parcels.length > 1) {
      const middle = Math.ceil(parcels.length / 2);
      await this.#send(parcels.slice(0, middle));
      return this.#send(parcels.slice(middle));
    }
    only.forms = fallbacksAfter(only.outcome, only.forms, error, this.options);
    if (only.forms.length === 0) throw error;
    return this.#send([only]);
  }
}

/** Another has their partitions, and does them again: nobody waits for them here any more. */
function drop(parcels: readonly PendingResult[]): void {
  for (const { acknowledged } of parcels) acknowledged();
}

/** Behind the last of each partition. */
function positionsOf(parcels: readonly PendingResult[]): GroupOffsets['positions'] {
  const positions = new Map<number, GroupOffsets['positions'][number]>();
  for (const { outcome, claim } of parcels) {
    const { topic, partition, offset } = outcome.record;
    positions.set(partition, { topic, partition, offset: offset + 1, metadata: claim.markOf(offset + 1) });
  }
  return [...positions.values()];
}
