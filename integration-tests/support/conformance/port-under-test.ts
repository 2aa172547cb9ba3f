import { randomUUID } from 'node:crypto';
import kafkajs, { type Consumer } from 'kafkajs';
import type {
  ConsumerHandlers,
  ConsumerOptions,
  KafkaAdmin,
  KafkaClient,
  KafkaConsumer,
  KafkaProducer,
  OutgoingRecord,
  TransactionalProducer,
} from '../../../kafka/port.js';
import { startTestBroker, type TestBroker } from '../broker.js';
import { Reader } from './reader.js';
import { ShareMember, type ShareMemberOptions } from './share-member.js';

/** Abilities that differ between clients. */
export interface Abilities {
  /** True for static membership, the KIP-848 group protocol, and fencing of group members in transactions. */
  readonly modernGroups: boolean;
  /** True for share groups. */
  readonly shareGroups: boolean;
}

/** Shorter locks than Kafka allows by default, so that tests need not wait for 30 seconds. */
export const LOCK_MS = 2_000;
const SHORT_LOCKS = {
  'group.share.min.record.lock.duration.ms': '1000',
  'group.share.record.lock.duration.ms': String(LOCK_MS),
};

/** A client on its own broker. Tests create topics, consumers and transactions with it; `stop` closes them all. */
export class PortUnderTest {
  // Set by `start`, which runs before all tests.
  broker!: TestBroker;
  kafka!: KafkaClient;
  admin!: KafkaAdmin;
  producer!: KafkaProducer;
  readonly #consumers: KafkaConsumer[] = [];
  readonly #transactionalProducers: TransactionalProducer[] = [];
  readonly #members: ShareMember[] = [];
  readonly #intruders: Consumer[] = [];

  constructor(
    readonly abilities: Abilities,
    readonly createClient: (brokers: string) => KafkaClient,
  ) {}

  async start(): Promise<void> {
    this.broker = await startTestBroker({ settings: SHORT_LOCKS });
    this.kafka = this.createClient(this.broker.bootstrap);
    this.admin = this.kafka.admin();
    this.producer = this.kafka.producer();
    await Promise.all([this.admin.connect(), this.producer.connect()]);
  }

  async stop(): Promise<void> {
    await Promise.allSettled([
      ...this.#consumers.map((consumer) => consumer.close()),
      ...this.#members.map((member) => member.close()),
      ...this.#intruders.map((intruder) => intruder.disconnect()),
      ...this.#transactionalProducers.map((transactions) => transactions.close()),
      this.producer.close(),
      this.admin.close(),
    ]);
    await this.broker.stop();
  }

  async createTopic(partitions: number, config: Record<string, string> = {}): Promise<string> {
    const topic = `t-${randomUUID()}`;
    await this.admin.createTopics([{ topic, partitions, replicationFactor: -1, config }]);
    return topic;
  }

  async consume(
    options: Partial<ConsumerOptions> & { topic: string },
    handlers: Partial<ConsumerHandlers> = {},
  ): Promise<Reader> {
    const defaults = {
      group: `g-${randomUUID()}`,
      from: 'earliest',
      sessionTimeoutMs: 6_000,
      fetchMaxBytes: 4_000_000,
    } as const;
    const reader = new Reader(this.kafka.consumer({ ...defaults, ...options }), handlers);
    this.#consumers.push(reader.consumer);
    await reader.start();
    return reader;
  }

  /** Joins a share group; what the member receives is accepted, unless it decides otherwise. */
  async share(topic: string, group: string, options: ShareMemberOptions = {}): Promise<ShareMember> {
    const consumer = this.kafka.shareConsumer({ group, topic, fetchMaxBytes: 4_000_000 });
    const member = new ShareMember(consumer, options);
    this.#members.push(member);
    await member.start();
    return member;
  }

  /** A program that uses a group by mistake: a kafkajs consumer with defaults, which joins when `joined` is called. */
  intruder(groupId: string, topic: string): { joined(): Promise<void> } {
    const { Kafka, logLevel } = kafkajs;
    const client = new Kafka({ brokers: [this.broker.bootstrap], logLevel: logLevel.NOTHING });
    const consumer = client.consumer({ groupId });
    this.#intruders.push(consumer);
    return {
      joined: async () => {
        const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
        await consumer.connect();
        await consumer.subscribe({ topic });
        await consumer.run({ eachMessage: () => Promise.resolve() });
        await joined;
      },
    };
  }

  async transactional(id: string): Promise<TransactionalProducer> {
    const transactions = this.kafka.transactionalProducer(id);
    this.#transactionalProducers.push(transactions);
    await transactions.connect();
    return transactions;
  }
}

export function plain(topic: string, value: string): OutgoingRecord {
  return { topic, key: null, value: Buffer.from(value), headers: {} };
}
