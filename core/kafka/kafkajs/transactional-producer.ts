import type { Kafka, Producer, Transaction } from 'kafkajs';
import { InTurn } from '../../in-turn.js';
import type { GroupOffsets, KafkaError, OutgoingRecord, TransactionalProducer } from '../port.js';
import { toConnectError, toKafkaError } from './errors.js';
import { ALL_IN_SYNC_REPLICAS, byTopic, refuseUnsent, steadyPartitioner } from './producer.js';

/**
 * Transactions on kafkajs, one at a time. After one that failed the producer is made anew, which ends whatever is left
 * of it, unless another has taken the name over.
 */
export class KafkaJsTransactionalProducer implements TransactionalProducer {
  #producer: Producer | undefined;
  #fenced: KafkaError | undefined;
  readonly #turns = new InTurn();

  constructor(
    readonly kafka: Kafka,
    readonly brokers: readonly string[],
    readonly transactionalId: string,
  ) {}

  async connect(): Promise<void> {
    this.#fenced = undefined;
    await this.#renew().catch((error: unknown) => {
      throw toConnectError(error, this.brokers);
    });
  }

  /** kafkajs takes the name over only with the first transaction: so there is an empty one. */
  async #renew(): Promise<Producer> {
    await this.#producer?.disconnect().catch(() => undefined);
    this.#producer = undefined;
    const producer = this.kafka.producer({
      transactionalId: this.transactionalId,
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: steadyPartitioner,
    });
    try {
      await producer.connect();
      await (await producer.transaction()).abort();
    } catch (error) {
      await producer.disconnect().catch(() => undefined);
      throw error;
    }
    return (this.#producer = producer);
  }

  sendWithOffsets(records: readonly OutgoingRecord[], offsets?: GroupOffsets): Promise<void> {
    return this.#turns.run(() => this.#transact(records, offsets));
  }

  async #transact(records: readonly OutgoingRecord[], offsets: GroupOffsets | undefined): Promise<void> {
    if (this.#fenced) throw this.#fenced;
    try {
      const producer = this.#producer ?? (await this.#renew());
      const transaction = await producer.transaction();
      try {
        await fill(transaction, records, offsets);
        await transaction.commit();
      } catch (error) {
        await transaction.abort().catch(() => undefined);
        throw error;
      }
    } catch (cause) {
      throw await this.#giveUp(toKafkaError(cause));
    }
  }

  async #giveUp(error: KafkaError): Promise<KafkaError> {
    if (error.kind === 'fenced') this.#fenced = error;
    await this.#producer?.disconnect().catch(() => undefined);
    this.#producer = undefined;
    return error;
  }

  async close(): Promise<void> {
    await this.#producer?.disconnect().catch((error: unknown) => {
      throw toKafkaError(error);
    });
  }
}

async function fill(
  transaction: Transaction,
  records: readonly OutgoingRecord[],
  offsets: GroupOffsets | undefined,
): Promise<void> {
  if (records.length > 0) {
    const topicMessages = byTopic(records);
    refuseUnsent(topicMessages, await transaction.sendBatch({ topicMessages, acks: ALL_IN_SYNC_REPLICAS }));
  }
  if (offsets)
    await transaction.sendOffsets({ consumerGroupId: offsets.member.group, topics: topicsOf(offsets) });
}

function topicsOf({ positions }: GroupOffsets): {
  topic: string;
  partitions: { partition: number; offset: string; metadata: string | null }[];
}[] {
  const names = [...new Set(positions.map(({ topic }) => topic))];
  return names.map((topic) => ({
    topic,
    partitions: positions
      .filter((position) => position.topic === topic)
      .map(({ partition, offset, metadata }) => ({
        partition,
        offset: String(offset),
        metadata: metadata ?? null,
      })),
  }));
}
