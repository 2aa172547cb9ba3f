import { randomUUID } from 'node:crypto';
import { Outbox } from '../../kafka/sending/outbox.js';
import type { KafkaClient, KafkaConsumer, KafkaProducer, KafkaRecord } from '../../kafka/port.js';
import { headerText, type RecordHeaders } from '../../schemas/framing/framing.js';
import { decodeReply, encodeRequest } from '../../schemas/framing/single-object.js';
import type { InferenceReply, InferenceRequest, Tensor } from '../../schemas/generated.js';
import { eventually } from './eventually.js';

const PARTITIONS = 3;

export interface SendOptions {
  readonly key?: string;
  readonly partition?: number;
  readonly headers?: RecordHeaders;
  /** True to name the reply topic in the headers; the default. */
  readonly wantsReply?: boolean;
}

/** A client without our library, which writes raw records and collects all records of its reply topic. */
export class RawClient {
  /** Replies by correlation id, in order of arrival. */
  readonly replies = new Map<string, KafkaRecord[]>();
  /** All replies, in order of arrival. */
  readonly log: KafkaRecord[] = [];
  readonly #producer: KafkaProducer;
  readonly #outbox: Outbox;
  readonly #consumer: KafkaConsumer;
  #count = 0;

  private constructor(
    kafka: KafkaClient,
    readonly replyTopic: string,
  ) {
    this.#producer = kafka.producer();
    this.#outbox = new Outbox(this.#producer);
    this.#consumer = kafka.consumer({
      group: `rawClient-${randomUUID()}`,
      topic: replyTopic,
      from: 'earliest',
      partitions: Array.from({ length: PARTITIONS }, (_, index) => index),
      sessionTimeoutMs: 6_000,
      fetchMaxBytes: 16 * 1024 * 1024,
    });
  }

  static async start(kafka: KafkaClient, replyTopic: string): Promise<RawClient> {
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics([
      {
        topic: replyTopic,
        partitions: PARTITIONS,
        replicationFactor: -1,
        config: { 'max.message.bytes': '16000000' },
      },
    ]);
    await admin.close();
    const rawClient = new RawClient(kafka, replyTopic);
    await rawClient.#producer.connect();
    await rawClient.#consumer.start({
      onRecords: (records) => rawClient.#onReplies(records),
      onAssigned: () => undefined,
      onRevoked: () => Promise.resolve(),
      onCrash: () => undefined,
    });
    return rawClient;
  }

  #onReplies(records: readonly KafkaRecord[]): void {
    for (const record of records) {
      const correlation = headerText(record.headers, 'correlation-id') ?? '';
      this.log.push(record);
      this.replies.set(correlation, [...(this.replies.get(correlation) ?? []), record]);
    }
  }

  /** Sends a raw value. @returns the correlation id */
  send(topic: string, value: Buffer | null, options: SendOptions = {}): string {
    const correlation = `c-${this.#count++}`;
    const asking: RecordHeaders = {
      'correlation-id': Buffer.from(correlation),
      ...(options.wantsReply === false ? {} : { 'reply-to': Buffer.from(this.replyTopic) }),
    };
    const key = options.key === undefined ? null : Buffer.from(options.key);
    const record = {
      topic,
      partition: options.partition,
      key,
      value,
      headers: { ...asking, ...options.headers },
    };
    this.#outbox.push(record, {
      delivered: () => undefined,
      failed: (error) => {
        throw error;
      },
    });
    return correlation;
  }

  /** Sends a well-formed Avro request; missing fields get defaults. */
  request(
    topic: string,
    request: Partial<InferenceRequest> & { model: string; inputs: Tensor[] },
    options: SendOptions = {},
  ): string {
    const complete = {
      id: randomUUID(),
      modelVersion: null,
      outputs: [],
      parameters: {},
      deadline: null,
      ...request,
    };
    return this.send(topic, encodeRequest(complete), options);
  }

  /** Waits until the broker has acknowledged all records. */
  sent(): Promise<void> {
    return this.#outbox.settled();
  }

  /** Waits until each of these requests has at least one reply. */
  async answered(correlations: readonly string[], limitMs = 60_000): Promise<void> {
    const open = (): string[] => correlations.filter((correlation) => !this.replies.has(correlation));
    await eventually(`replies to ${correlations.length} requests`, () => open().length === 0, limitMs).catch(
      (error: Error) => {
        throw new Error(`${error.message}; ${open().length} open, the first ${open()[0]}`);
      },
    );
  }

  /** Returns the decoded replies to a request. */
  repliesTo(correlation: string): InferenceReply[] {
    return (this.replies.get(correlation) ?? []).map(({ value }) => decodeReply(value ?? Buffer.alloc(0)));
  }

  /** Returns the only reply to a request. @throws Error unless there is exactly one */
  replyTo(correlation: string): InferenceReply {
    const replies = this.repliesTo(correlation);
    const [only] = replies;
    if (!only || replies.length > 1)
      throw new Error(`${correlation}: expected one reply, got ${replies.length}`);
    return only;
  }

  async close(): Promise<void> {
    await this.#outbox.close();
    await Promise.all([this.#producer.close(), this.#consumer.close()]);
  }
}

/** Creates an FP32 tensor. */
export function floats(name: string, shape: number[], values: readonly number[]): Tensor {
  return { name, datatype: 'FP32', shape, data: Buffer.from(Float32Array.from(values).buffer) };
}

/** Returns the values of an FP32 tensor. */
export function valuesOf(tensor: Tensor | undefined): number[] {
  const data = tensor?.data ?? Buffer.alloc(0);
  return Array.from({ length: data.length / 4 }, (_, index) => data.readFloatLE(index * 4));
}
