import { initProducerIdV4 } from '@platformatic/kafka';
import type { KafkaProducer, OutgoingRecord } from '../port.js';
import { BatchSender, UnknownOutcome } from './batch-sender.js';
import type { Cluster } from './cluster.js';
import { toKafkaError } from './errors.js';
import { retry } from './retry.js';

const NO_TRANSACTIONS = { id: null, timeoutMs: 0 };
const NEW = { id: -1n, epoch: -1 };

/**
 * An idempotent producer. Its identity is given up, and a new one taken, only when the fate of a batch is unknown in
 * the end: what is sent again then may arrive twice, never not at all.
 */
export class PlatformaticProducer implements KafkaProducer {
  readonly #closing = new AbortController();
  #sender: BatchSender | undefined;
  /** Sends go one after the other, which keeps their order over failures. */
  #previous: Promise<unknown> = Promise.resolve();

  constructor(readonly cluster: Cluster) {}

  connect(): Promise<void> {
    return this.cluster.connect();
  }

  send(records: readonly OutgoingRecord[]): Promise<void> {
    const sent = this.#previous.then(() => this.#sendNext(records));
    this.#previous = sent.catch(() => undefined);
    return sent;
  }

  async #sendNext(records: readonly OutgoingRecord[]): Promise<void> {
    try {
      this.#sender ??= await this.#identify();
      await this.#sender.deliver(await this.#sender.prepare(records));
    } catch (cause) {
      const error = toKafkaError(cause);
      if (error instanceof UnknownOutcome || error.kind === 'fenced') this.#sender = undefined;
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
