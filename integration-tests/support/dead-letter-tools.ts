import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { KafkaProducer, OutgoingRecord } from '../../kafka/port.js';
import { CommandLine } from './command-line.js';
import { Harness } from './harness.js';
import type { Ended } from './programs.js';

export interface ListedLetters {
  readonly total: number;
  readonly older: number;
  readonly byReason: Readonly<Record<string, number>>;
  readonly letters: readonly {
    readonly offset: number;
    readonly partition: number;
    readonly key: string | null;
    readonly replays: number;
  }[];
}

export interface ReplayedLetters {
  readonly replayed: number;
  readonly left: number;
  readonly leftBecause: Readonly<Record<string, number>>;
}

/** `partitura dlq` on its own broker, where a node serves the model `scale`. */
export class DeadLetterTools {
  readonly cli = new CommandLine({});

  private constructor(
    readonly harness: Harness,
    readonly producer: KafkaProducer,
  ) {}

  static async start(): Promise<DeadLetterTools> {
    const harness = await Harness.start(['scale']);
    const producer = harness.kafka.producer();
    await producer.connect();
    await harness.node();
    return new DeadLetterTools(harness, producer);
  }

  dlq(...args: string[]): Promise<Ended> {
    return this.cli.run(['dlq', ...args], { KAFKA_BROKERS: this.harness.broker.bootstrap });
  }

  async ask(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.dlq(...args);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  async askJson<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.ask(...args, '--json')) as T;
  }

  list(...args: string[]): Promise<ListedLetters> {
    return this.askJson('list', ...args);
  }

  async offsets(...args: string[]): Promise<number[]> {
    return (await this.list(...args)).letters.map(({ offset }) => offset);
  }

  replay(...args: string[]): Promise<ReplayedLetters> {
    return this.askJson('replay', ...args);
  }

  async refuse(args: readonly string[], message: RegExp): Promise<void> {
    const { code, stdout, stderr } = await this.dlq(...args);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, message);
  }

  /** Creates a foreign topic with this many partitions. */
  async createTopic(name: string, partitions = 1, config: Record<string, string> = {}): Promise<string> {
    const topic = `${randomUUID().slice(0, 8)}.${name}`;
    await this.harness.withAdmin((admin) =>
      admin.createTopics([{ topic, partitions, replicationFactor: -1, config }]),
    );
    return topic;
  }

  async close(): Promise<void> {
    await this.producer.close();
    await this.harness.close();
  }
}

/** Creates a dead letter like Kafka Connect. */
export function connectLetter(
  topic: string,
  from: string,
  { reason = 'org.acme.Broken', ...changes }: Partial<OutgoingRecord> & { reason?: string } = {},
): OutgoingRecord {
  const headers = {
    '__connect.errors.topic': Buffer.from(from),
    '__connect.errors.partition': Buffer.from('0'),
    '__connect.errors.offset': Buffer.from('5'),
    '__connect.errors.connector.name': Buffer.from('sink'),
    '__connect.errors.stage': Buffer.from('VALUE_CONVERTER'),
    '__connect.errors.exception.class.name': Buffer.from(reason),
    '__connect.errors.exception.message': Buffer.from('cannot be read'),
    ...changes.headers,
  };
  return { topic, partition: 0, key: null, value: Buffer.from('value'), ...changes, headers };
}
