import { initProducerIdV4 } from '../platformatic/index.js';
import { SerialQueue } from '../../core/serial.js';
import type { KafkaProducer, OutgoingRecord } from '../port.js';
import { BatchSender, type OutgoingBatch } from './batch-sender.js';
import type { Cluster } from './transport/cluster.js';
import { toKafkaError } from './transport/errors.js';
import { retry } from './transport/retry.js';

const NO_TRANSACTIONS = { id: null, timeoutMs: 0 };
const NEW = { id: -1n, epoch: -1 };

/**
 * An idempotent producer. After every failed delivery it requests a new identity: a batch that was refused in the end
 * may still have been written by an earlier attempt, and the broker would drop another batch with the same sequence
 * as a duplicate. Resent records may therefore arrive twice, but are never lost.
 */
export class NativeProducer implements KafkaProducer {
  readonly #closing = new AbortController();
  #sender: BatchSender | undefined;
  /** Serializes sends, which keeps their order across failures. */
  readonly #turns = new SerialQueue();

  constructor(readonly cluster: Cluster) {}

  connect(): Promise<void> {
    return this.cluster.connect();
  }

  send(records: readonly OutgoingRecord[]): Promise<void> {
    return this.#turns.run(() => this.#sendNext(records));
  }

  async #sendNext(records: readonly OutgoingRecord[]): Promise<void> {
    try {
      this.#sender ??= await this.#identify();
      await this.#deliver(this.#sender, await this.#sender.prepare(records));
    } catch (error) {
      throw toKafkaError(error);
    }
  }

  async #deliver(sender: BatchSender, batches: readonly OutgoingBatch[]): Promise<void> {
    try {
      await sender.deliver(batches);
    } catch (error) {
      this.#sender = undefined;
      throw error;
    }
  }

  async #identify(): Promise<BatchSender> {
    const { signal } = this.#closing;
    const { producerId, producerEpoch } = await retry(
      () =>
        this.cluster.anyBroker(initProducerIdV4.api, [
          NO_TRANSACTIONS.id,
          NO_TRANSACTIONS.timeoutMs,
          NEW.id,
          NEW.epoch,
        ]),
      { signal },
    );
    const identity = { id: producerId, epoch: producerEpoch, transactional: false };
    return new BatchSender(this.cluster, identity, null, signal);
  }

  close(): Promise<void> {
    this.#closing.abort();
    this.cluster.close();
    return Promise.resolve();
  }
}
