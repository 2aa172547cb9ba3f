import {
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  endTxnV3,
  initProducerIdV4,
  txnOffsetCommitV3,
  type API,
} from '../platformatic/index.js';
import { SerialQueue } from '../../core/serial.js';
import type { GroupOffsets, KafkaError, OutgoingRecord, TransactionalProducer } from '../port.js';
import { BatchSender, type OutgoingBatch } from './batch-sender.js';
import type { Cluster } from './transport/cluster.js';
import { brokerErrorNames, toConnectError, toKafkaError } from './transport/errors.js';
import { Coordinator, offsetsByTopic } from './group/group.js';
import { retry } from './transport/retry.js';
import type { ProducerIdentity } from './protocol/write-batch.js';

/**
 * Time after which the broker aborts an unfinished transaction; consumers wait this long if a member dies within one.
 */
const TRANSACTION_TIMEOUT_MS = 15_000;
const NEW: ProducerIdentity = { id: -1n, epoch: -1, transactional: true };

/**
 * Transactions, one at a time. After a failed one the producer gets the next epoch, which aborts the rest of the
 * transaction. Once the coordinator reports that another producer has fenced this one, all later transactions are
 * refused.
 */
export class NativeTransactionalProducer implements TransactionalProducer {
  readonly #closing = new AbortController();
  readonly #coordinator: Coordinator;
  #identity = NEW;
  #sender: BatchSender | undefined;
  #fenced: KafkaError | undefined;
  readonly #turns = new SerialQueue();

  constructor(
    readonly cluster: Cluster,
    readonly transactionalId: string,
  ) {
    this.#coordinator = new Coordinator(cluster, 'TRANSACTION', transactionalId);
  }

  async connect(): Promise<void> {
    await this.cluster.connect();
    this.#identity = NEW;
    this.#fenced = undefined;
    try {
      this.#sender = await this.#identify();
    } catch (error) {
      throw toConnectError(error, this.cluster.addresses);
    }
  }

  sendWithOffsets(records: readonly OutgoingRecord[], offsets?: GroupOffsets): Promise<void> {
    return this.#turns.run(() => this.#transact(records, offsets));
  }

  async #transact(records: readonly OutgoingRecord[], offsets: GroupOffsets | undefined): Promise<void> {
    if (this.#fenced) throw this.#fenced;
    try {
      this.#sender ??= await this.#identify();
      await this.#fill(this.#sender, records, offsets);
      if (records.length > 0 || offsets) await this.#end(true);
    } catch (cause) {
      throw await this.#giveUp(toKafkaError(cause));
    }
  }

  async #fill(
    sender: BatchSender,
    records: readonly OutgoingRecord[],
    offsets: GroupOffsets | undefined,
  ): Promise<void> {
    const batches = await sender.prepare(records);
    if (batches.length > 0) await this.#announce(batches);
    await sender.deliver(batches);
    if (offsets) await this.#commitOffsets(offsets);
  }

  /** Adds the partitions to the transaction; the coordinator must know them before they are written. */
  async #announce(batches: readonly OutgoingBatch[]): Promise<void> {
    const names = [...new Set(batches.map(({ topic }) => topic))];
    const topics = names.map((name) => ({
      name,
      partitions: batches.filter(({ topic }) => topic === name).map(({ partition }) => partition),
    }));
    const { transactionalId } = this;
    const { id: producerId, epoch: producerEpoch } = this.#identity;
    await this.#ask(addPartitionsToTxnV3.api, [
      [{ transactionalId, producerId, producerEpoch, verifyOnly: false, topics }],
    ]);
  }

  async #commitOffsets({ member, positions }: GroupOffsets): Promise<void> {
    const { id, epoch } = this.#identity;
    const { group, generation, memberId, instanceId } = member;
    await this.#ask(addOffsetsToTxnV3.api, [this.transactionalId, id, epoch, group]);
    const topics = offsetsByTopic(positions);
    await this.#ask(
      txnOffsetCommitV3.api,
      [this.transactionalId, group, id, epoch, generation, memberId, instanceId ?? null, topics],
      new Coordinator(this.cluster, 'GROUP', group),
    );
  }

  async #end(commit: boolean): Promise<void> {
    const { id, epoch } = this.#identity;
    await this.#ask(endTxnV3.api, [this.transactionalId, id, epoch, commit]);
  }

  /** Aborts the transaction, now or at the latest with the next epoch, so that nothing of it becomes visible. */
  async #giveUp(error: KafkaError): Promise<KafkaError> {
    const hadBegun = this.#sender !== undefined;
    this.#sender = undefined;
    if (isFinal(error)) this.#fenced = error;
    else if (hadBegun)
      await this.#end(false).catch((cause: unknown) => this.#notAborted(toKafkaError(cause)));
    return error;
  }

  #notAborted(error: KafkaError): void {
    if (isFinal(error)) this.#fenced = error;
  }

  async #identify(): Promise<BatchSender> {
    const { id, epoch } = this.#identity;
    const { producerId, producerEpoch } = await this.#ask(initProducerIdV4.api, [
      this.transactionalId,
      TRANSACTION_TIMEOUT_MS,
      id,
      epoch,
    ]);
    this.#identity = { id: producerId, epoch: producerEpoch, transactional: true };
    return new BatchSender(this.cluster, this.#identity, this.transactionalId, this.#closing.signal);
  }

  #ask<A extends unknown[], R>(api: API<A, R>, args: A, coordinator = this.#coordinator): Promise<R> {
    return retry(() => coordinator.request(api, args), { signal: this.#closing.signal });
  }

  close(): Promise<void> {
    this.#closing.abort();
    this.cluster.close();
    return Promise.resolve();
  }
}

const TAKEN_OVER = new Set(['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH']);

/** Returns true if another producer has taken over. Only coordinator errors count; an abort resolves all others. */
function isFinal(error: KafkaError): boolean {
  return brokerErrorNames(error).some((name) => TAKEN_OVER.has(name));
}
