import kafkajs, {
  type IHeaders,
  type ICustomPartitioner,
  type Kafka,
  type Message,
  type PartitionerArgs,
  type Producer,
  type ProducerBatch,
  type RecordMetadata,
  type TopicMessages,
} from 'kafkajs';
import { SerialQueue } from '../../core/serial.js';
import { partitionOfKey } from '../key-partition.js';
import { KafkaError, type KafkaProducer, type OutgoingRecord } from '../port.js';
import { toConnectError, toKafkaError } from './errors.js';
import { CONNECT_LIMIT_MS } from './retry.js';
import './record-encoding.js';
import type { Session } from './session.js';

export const ALL_IN_SYNC_REPLICAS = -1;

/**
 * An idempotent producer. After a permanently failed send, its sequence numbers no longer show which records arrived,
 * and the broker could silently drop a later record as a duplicate; so it requests a new identity.
 */
export class KafkaJsProducer implements KafkaProducer {
  #session: Session;
  #producer: Producer;
  #isClosed = false;
  /** kafkajs may reorder sends; the port guarantees their order. */
  readonly #turns = new SerialQueue();

  constructor(
    readonly newSession: () => Session,
    readonly brokers: readonly string[],
  ) {
    this.#session = newSession();
    this.#producer = createProducer(this.#session.kafka);
  }

  async connect(): Promise<void> {
    try {
      await this.#connect();
    } catch (error) {
      this.#replace();
      throw toConnectError(error, this.brokers);
    }
  }

  async #connect(): Promise<void> {
    if (this.#isClosed) throw new KafkaError('unavailable', 'closed');
    await this.#session.run(() => this.#producer.connect(), CONNECT_LIMIT_MS);
  }

  send(records: readonly OutgoingRecord[]): Promise<void> {
    return this.#turns.run(() => this.#sendNext(records));
  }

  async #sendNext(records: readonly OutgoingRecord[]): Promise<void> {
    try {
      const topicMessages = byTopic(records);
      const { GZIP, None } = kafkajs.CompressionTypes;
      const compression = records.some(({ compress }) => compress) ? GZIP : None;
      const send: SendBatch = (batch) => this.#session.run(() => this.#producer.sendBatch(batch));
      await sendWhole(send, topicMessages, { acks: ALL_IN_SYNC_REPLICAS, compression });
    } catch (error) {
      await this.#renew().catch(() => undefined);
      rethrow(error);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#session.end(() => this.#producer.disconnect());
  }

  async #renew(): Promise<void> {
    this.#replace();
    await this.#connect();
  }

  /** Replaces the producer. Closing its connections ensures that nothing it has sent can arrive later. */
  #replace(): void {
    this.#session.cut();
    if (this.#isClosed) return;
    this.#session = this.newSession();
    this.#producer = createProducer(this.#session.kafka);
  }
}

function createProducer(kafka: Kafka): Producer {
  return kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: steadyPartitioner,
  });
}

/**
 * Keeps the partition of a record across retries. kafkajs selects it again at each attempt, and a record without a
 * key would go elsewhere and break the sequence of both partitions. The key hash of kafkajs takes quadratic time: a
 * key of several megabytes, which is up to the sender, would block the event loop for hours.
 */
export const steadyPartitioner: ICustomPartitioner = () => {
  const choose = kafkajs.Partitioners.DefaultPartitioner();
  return (args: PartitionerArgs) => (args.message.partition ??= ofKey(args) ?? choose(args));
};

function ofKey({ message: { key }, partitionMetadata }: PartitionerArgs): number | undefined {
  return Buffer.isBuffer(key) ? partitionOfKey(key, partitionMetadata.length) : undefined;
}

export function byTopic(records: readonly OutgoingRecord[]): TopicMessages[] {
  const topics = new Map<string, Message[]>();
  for (const { topic, partition, key, value, headers, headerList, timestamp } of records) {
    let messages = topics.get(topic);
    if (!messages) topics.set(topic, (messages = []));
    // kafkajs passes a list through unchanged to `encodeRecord`.
    const message: Message = { key, value, headers: (headerList ?? headers) as IHeaders };
    if (partition !== undefined) message.partition = partition;
    if (timestamp !== undefined) message.timestamp = String(timestamp);
    messages.push(message);
  }
  return Array.from(topics, ([topic, messages]) => ({ topic, messages }));
}

type SendBatch = (batch: ProducerBatch) => Promise<RecordMetadata[]>;

/** Metadata is refreshed after the first attempt. */
const TRIES_FOR_UNSENT = 3;

/**
 * Sends a complete batch. kafkajs silently drops records in two cases: for a partition missing from its metadata, and
 * for one whose leadership moves during a retry to a broker that has already acknowledged its part of the batch.
 * @throws KafkaError `unknown-topic` if a partition does not exist; otherwise any error of kafkajs
 */
export async function sendWhole(
  send: SendBatch,
  topicMessages: TopicMessages[],
  options: BatchOptions,
): Promise<void> {
  let unsent = topicMessages;
  for (let attempt = 1; attempt <= TRIES_FOR_UNSENT; attempt++) {
    unsent = withoutAcknowledged(unsent, await send({ ...options, topicMessages: unsent }));
    if (unsent.length === 0) return;
  }
  const [{ topic, messages } = { topic: '', messages: [] }] = unsent;
  throw new KafkaError('unknown-topic', `topic ${topic} has no partition ${messages[0]?.partition}`);
}

type BatchOptions = Omit<ProducerBatch, 'topicMessages'>;

function withoutAcknowledged(
  sent: readonly TopicMessages[],
  acknowledged: readonly RecordMetadata[],
): TopicMessages[] {
  const reached = new Set(acknowledged.map(({ topicName, partition }) => `${topicName} ${partition}`));
  return sent
    .map(({ topic, messages }) => ({
      topic,
      messages: messages.filter(({ partition }) => !reached.has(`${topic} ${partition}`)),
    }))
    .filter(({ messages }) => messages.length > 0);
}

export function rethrow(error: unknown): never {
  throw toKafkaError(error);
}
