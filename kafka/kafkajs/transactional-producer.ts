import type { Producer, Transaction } from 'kafkajs';
import { SerialQueue } from '../../core/serial.js';
import { KafkaError, type GroupOffsets, type OutgoingRecord, type TransactionalProducer } from '../port.js';
import { toConnectError, toKafkaError } from './errors.js';
import { CONNECT_LIMIT_MS } from './retry.js';
import type { Session } from './session.js';
import { ALL_IN_SYNC_REPLICAS, byTopic, sendWhole, steadyPartitioner } from './producer.js';

/**
 * Transactions on kafkajs, one at a time. After a failed one the producer is recreated, which aborts the rest of the
 * transaction, unless another producer has fenced this one.
 */
export class KafkaJsTransactionalProducer implements TransactionalProducer {
  #session: Session | undefined;
  #producer: Producer | undefined;
  #isClosed = false;
  #fenced: KafkaError | undefined;
  readonly #turns = new SerialQueue();

  constructor(
    readonly newSession: () => Session,
    readonly brokers: readonly string[],
    readonly transactionalId: string,
  ) {}

  async connect(): Promise<void> {
    this.#fenced = undefined;
    await this.#renew().catch((error: unknown) => {
      throw toConnectError(error, this.brokers);
    });
  }

  /** Creates a producer and starts an empty transaction, with which kafkajs initializes the transactional id. */
  async #renew(): Promise<Producer> {
    this.#drop();
    if (this.#isClosed) throw new KafkaError('unavailable', 'closed');
    const session = (this.#session = this.newSession());
    const producer = session.kafka.producer({
      transactionalId: this.transactionalId,
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: steadyPartitioner,
    });
    try {
      await session.run(() => producer.connect(), CONNECT_LIMIT_MS);
      await session.run(async () => (await producer.transaction()).abort());
    } catch (error) {
      session.cut();
      throw error;
    }
    return (this.#producer = producer);
  }

  #drop(): void {
    this.#session?.cut();
    this.#session = undefined;
    this.#producer = undefined;
  }

  sendWithOffsets(records: readonly OutgoingRecord[], offsets?: GroupOffsets): Promise<void> {
    return this.#turns.run(() => this.#transact(records, offsets));
  }

  async #transact(records: readonly OutgoingRecord[], offsets: GroupOffsets | undefined): Promise<void> {
    if (this.#fenced) throw this.#fenced;
    try {
      const producer = this.#producer ?? (await this.#renew());
      await this.#session?.run(() => transact(producer, records, offsets));
    } catch (cause) {
      throw this.#giveUp(toKafkaError(cause));
    }
  }

  #giveUp(error: KafkaError): KafkaError {
    if (error.kind === 'fenced') this.#fenced = error;
    this.#drop();
    return error;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const producer = this.#producer;
    if (producer) await this.#session?.end(() => producer.disconnect());
    this.#session?.cut();
  }
}

async function transact(
  producer: Producer,
  records: readonly OutgoingRecord[],
  offsets: GroupOffsets | undefined,
): Promise<void> {
  const transaction = await producer.transaction();
  try {
    await fill(transaction, records, offsets);
    await transaction.commit();
  } catch (error) {
    await transaction.abort().catch(() => undefined);
    throw error;
  }
}

async function fill(
  transaction: Transaction,
  records: readonly OutgoingRecord[],
  offsets: GroupOffsets | undefined,
): Promise<void> {
  if (records.length > 0)
    await sendWhole((batch) => transaction.sendBatch(batch), byTopic(records), {
      acks: ALL_IN_SYNC_REPLICAS,
    });
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
