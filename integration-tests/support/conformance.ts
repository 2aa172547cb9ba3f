import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import kafkajs from 'kafkajs';
import { headerBytes } from '../../schemas/framing/framing.js';
import {
  type KafkaError,
  type ConsumerHandlers,
  type ConsumerOptions,
  type KafkaAdmin,
  type KafkaClient,
  type KafkaConsumer,
  type KafkaProducer,
  type KafkaRecord,
  type OutgoingRecord,
  type TopicPartition,
  type TransactionalProducer,
} from '../../core/kafka/port.js';
import { startTestBroker, type TestBroker } from './broker.js';
import { eventually } from './eventually.js';

/** What one client can do and another can't. */
export interface Abilities {
  /** Static membership and the group protocol of KIP-848; a member of a transaction's group is checked. */
  readonly modernGroups: boolean;
}

/**
 * What every implementation of the Kafka port must do, on a real broker. A second client is added by
 * calling this with it.
 */
export function describeKafkaPort(
  name: string,
  { modernGroups }: Abilities,
  createClient: (brokers: string) => KafkaClient,
): void {
  describe(`the Kafka port on ${name}`, () => {
    let broker: TestBroker;
    let kafka: KafkaClient;
    let admin: KafkaAdmin;
    let producer: KafkaProducer;
    const consumers: KafkaConsumer[] = [];
    const transactionalProducers: TransactionalProducer[] = [];

    before(async () => {
      broker = await startTestBroker();
      kafka = createClient(broker.bootstrap);
      admin = kafka.admin();
      producer = kafka.producer();
      await Promise.all([admin.connect(), producer.connect()]);
    });

    after(async () => {
      await Promise.allSettled([
        ...consumers.map((consumer) => consumer.close()),
        ...transactionalProducers.map((transactions) => transactions.close()),
        producer.close(),
        admin.close(),
      ]);
      await broker.stop();
    });

    const createTopic = async (partitions: number, config: Record<string, string> = {}): Promise<string> => {
      const topic = `t-${randomUUID()}`;
      await admin.createTopics([{ topic, partitions, replicationFactor: -1, config }]);
      return topic;
    };

    /** What the port does not offer and these tests need. */
    const withKafkaJsAdmin = async (work: (admin: kafkajs.Admin) => Promise<unknown>): Promise<void> => {
      const raw = new kafkajs.Kafka({
        brokers: [broker.bootstrap],
        logLevel: kafkajs.logLevel.NOTHING,
      }).admin();
      await raw.connect();
      await work(raw).finally(() => raw.disconnect());
    };

    const consume = async (
      options: Partial<ConsumerOptions> & { topic: string },
      handlers: Partial<ConsumerHandlers> = {},
    ): Promise<Reader> => {
      const defaults = {
        group: `g-${randomUUID()}`,
        from: 'earliest',
        sessionTimeoutMs: 6_000,
        fetchMaxBytes: 4_000_000,
      } as const;
      const reader = new Reader(kafka.consumer({ ...defaults, ...options }), handlers);
      consumers.push(reader.consumer);
      await reader.start();
      return reader;
    };

    test('records come as they were sent: key, value, headers and repeated headers, byte for byte', async () => {
      const topic = await createTopic(1);
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
      const headers = {
        one: bytes,
        é: Buffer.from('x'),
        many: [Buffer.from('a'), Buffer.from('b')],
        empty: Buffer.alloc(0),
      };
      await producer.send([
        { topic, key: bytes, value: bytes, headers },
        { topic, key: null, value: null, headers: {} },
      ]);
      const reader = await consume({ topic });
      await eventually('two records', () => reader.records.length === 2);
      const [first, second] = reader.records;
      assert.ok(first, 'there is a first record');
      assert.ok(first.key?.equals(bytes) && first.value?.equals(bytes));
      assert.deepEqual({ ...first.headers }, headers);
      assert.ok(headerBytes(first.headers, 'one')?.equals(bytes));
      assert.ok(Math.abs(first.timestamp - Date.now()) < 60_000);
      assert.deepEqual([first.offset, second?.offset], [0, 1]);
      assert.deepEqual([second?.key, second?.value], [null, null]);
    });

    test("a topic's settings are told, its own and those that it has of the broker", async () => {
      const topic = `t-${randomUUID()}`;
      const config = { 'max.message.bytes': '123456' };
      await admin.createTopics([{ topic, partitions: 1, replicationFactor: -1, config }]);
      const settings = await admin.topicSettings(topic, ['max.message.bytes', 'retention.ms']);
      assert.deepEqual(
        [...settings].sort(([a], [b]) => a.localeCompare(b)),
        [
          ['max.message.bytes', '123456'],
          ['retention.ms', '604800000'],
        ],
      );
      await assert.rejects(admin.topicSettings(`no-${topic}`, ['retention.ms']), {
        name: 'KafkaError',
        kind: 'unknown-topic',
      });
    });

    test('records keep the order in which they were sent, over many sends', async () => {
      const topic = await createTopic(1);
      const sends = Array.from({ length: 20 }, (_, send) =>
        producer.send(Array.from({ length: 10 }, (_, index) => plain(topic, String(send * 10 + index)))),
      );
      await Promise.all(sends);
      const reader = await consume({ topic });
      await eventually('all records', () => reader.records.length === 200);
      assert.deepEqual(
        reader.values(),
        Array.from({ length: 200 }, (_, index) => String(index)),
      );
    });

    test('the same key goes to the same partition, where a Java client would put it; a named partition is kept', async () => {
      const topic = await createTopic(8);
      const keyed = (key: string): OutgoingRecord => ({ ...plain(topic, key), key: Buffer.from(key) });
      await producer.send([
        keyed('21'),
        keyed('foobar'),
        keyed('21'),
        { ...plain(topic, 'named'), partition: 5 },
      ]);
      const reader = await consume({ topic });
      await eventually('four records', () => reader.records.length === 4);
      const partitionOf = (value: string): number[] => [
        ...new Set(
          reader.records
            .filter((record) => record.value?.toString() === value)
            .map(({ partition }) => partition),
        ),
      ];
      // murmur2('21') = -973932308 and murmur2('foobar') = -790332482, from the tests of Kafka's own Utils class; positive, modulo 8.
      assert.deepEqual(partitionOf('21'), [(-973932308 & 0x7fffffff) % 8]);
      assert.deepEqual(partitionOf('foobar'), [(-790332482 & 0x7fffffff) % 8]);
      assert.deepEqual(partitionOf('named'), [5]);
    });

    test('an empty value is not a tombstone, nor an empty key none', async () => {
      const topic = await createTopic(1);
      const empty = Buffer.alloc(0);
      await producer.send([
        { topic, key: empty, value: empty, headers: {} },
        { topic, key: null, value: null, headers: { absent: undefined } },
      ]);
      const reader = await consume({ topic });
      await eventually('two records', () => reader.records.length === 2);
      assert.deepEqual(
        reader.records.map(({ key, value, headers }) => [key?.length, value?.length, { ...headers }]),
        [
          [0, 0, {}],
          [undefined, undefined, {}],
        ],
      );
    });

    test('records without a key reach all partitions', async () => {
      const topic = await createTopic(4);
      await producer.send(Array.from({ length: 200 }, (_, index) => plain(topic, String(index))));
      const reached = (await admin.offsets(topic)).map(({ end }) => end);
      assert.ok(
        reached.every((count) => count >= 32),
        `records per partition: ${reached.join(', ')}`,
      );
    });

    test('a record that may go compressed fits where it would be too large', async () => {
      const topic = await createTopic(1, { 'max.message.bytes': '10000' });
      const value = 'x'.repeat(50_000);
      await producer.send([{ ...plain(topic, value), compress: true }]);
      const reader = await consume({ topic });
      await eventually('the record', () => reader.values()[0] === value);
    });

    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'])
      test(`records compressed with ${codec} are read`, async () => {
        const topic = await createTopic(1, { 'compression.type': codec });
        const values = Array.from({ length: 50 }, (_, index) => `${index} `.repeat(100));
        await producer.send(values.map((value) => plain(topic, value)));
        const reader = await consume({ topic });
        await eventually('all records', () => reader.records.length === values.length);
        assert.deepEqual(reader.values(), values);
      });

    test('a record that is too large is told so, and the producer goes on', async () => {
      const topic = await createTopic(1, { 'max.message.bytes': '10000' });
      await assert.rejects(
        producer.send([plain(topic, 'x'.repeat(20_000))]),
        (error: KafkaError) => error.kind === 'too-large',
      );
      await producer.send([plain(topic, 'small')]);
    });

    test('a topic that does not exist is told so and not created', async () => {
      await assert.rejects(
        producer.send([plain('nowhere-at-all', 'x')]),
        (error: KafkaError) => error.kind === 'unknown-topic',
      );
      assert.equal(await admin.partitionCount('nowhere-at-all'), undefined);
      await producer.send([plain(await createTopic(1), 'fine')]);
    });

    test('a consumer that comes back goes on at the committed position', async () => {
      const topic = await createTopic(1);
      const group = `g-${randomUUID()}`;
      await producer.send(Array.from({ length: 10 }, (_, index) => plain(topic, String(index))));
      const first = await consume({ topic, group });
      await eventually('ten records', () => first.records.length === 10);
      await first.consumer.commit([{ topic, partition: 0, offset: 4 }]);
      assert.deepEqual(await admin.committed(group, topic), [{ partition: 0, offset: 4 }]);
      await first.consumer.close();
      const second = await consume({ topic, group });
      await eventually('the rest', () => second.records.length >= 6);
      assert.deepEqual(second.values(), ['4', '5', '6', '7', '8', '9']);
    });

    test('a paused partition brings nothing until it is resumed, while others go on', async () => {
      const topic = await createTopic(2);
      const reader = await consume({ topic });
      reader.consumer.pause([{ topic, partition: 0 }]);
      await producer.send([
        { ...plain(topic, 'other'), partition: 1 },
        { ...plain(topic, 'held'), partition: 0 },
      ]);
      await eventually('the other partition', () => reader.values().includes('other'));
      await producer.send([{ ...plain(topic, 'other again'), partition: 1 }]);
      await eventually('the other partition again', () => reader.values().includes('other again'));
      assert.ok(!reader.values().includes('held'));
      reader.consumer.resume([{ topic, partition: 0 }]);
      await eventually('the held record', () => reader.values().includes('held'));
    });

    test('a promise from the handler holds back the next fetch for longer than the session, without losing membership', async () => {
      const topic = await createTopic(1);
      let release: () => void = () => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      const reader = await consume({ topic }, { onRecords: () => held });
      await producer.send([plain(topic, 'first')]);
      await eventually('the first record', () => reader.records.length === 1);
      await producer.send([plain(topic, 'second')]);
      await new Promise((resolve) => setTimeout(resolve, 8_000));
      assert.equal(reader.records.length, 1);
      release();
      await eventually('the second record', () => reader.records.length === 2);
      assert.equal(reader.assignments, 1);
    });

    test('when a member joins, the other gives up its partitions first, commits in time, and nothing is read twice', async () => {
      const topic = await createTopic(4);
      const group = `g-${randomUUID()}`;
      await producer.send(
        Array.from({ length: 40 }, (_, index) => ({ ...plain(topic, String(index)), partition: index % 4 })),
      );
      let revoked: readonly TopicPartition[] = [];
      const first: Reader = await consume(
        { topic, group },
        {
          onRevoked: async (partitions) => {
            revoked = partitions;
            await first.consumer.commit(
              partitions.map(({ partition }) => ({ topic, partition, offset: 10 })),
            );
          },
        },
      );
      await eventually('forty records', () => first.records.length === 40);
      const second = await consume({ topic, group });
      assert.equal(revoked.length, 4);
      await eventually('both have two', () => first.assigned.length === 2 && second.assigned.length === 2);
      await producer.send(
        Array.from({ length: 4 }, (_, partition) => ({ ...plain(topic, `new ${partition}`), partition })),
      );
      await eventually('the new records', () => first.records.length + second.records.length === 44);
      await second.consumer.close();
      await eventually('the first has all again', () => first.assigned.length === 4);
    });

    test('a group goes on where the log begins when what it committed has been deleted', async () => {
      const topic = await createTopic(1);
      const group = `g-${randomUUID()}`;
      await producer.send(Array.from({ length: 10 }, (_, index) => plain(topic, String(index))));
      const first = await consume({ topic, group });
      await first.consumer.commit([{ topic, partition: 0, offset: 2 }]);
      await first.consumer.close();
      await withKafkaJsAdmin(async (raw) => {
        await raw.fetchTopicOffsets(topic);
        await raw.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] });
      });
      const second = await consume({ topic, group });
      await eventually('the rest', () => second.records.length === 4);
      assert.deepEqual(second.values(), ['6', '7', '8', '9']);
    });

    for (const groupProtocol of modernGroups ? (['classic', 'consumer'] as const) : (['classic'] as const))
      test(`a topic that is deleted and made anew is read from its beginning (${groupProtocol} protocol)`, async () => {
        const topic = await createTopic(1);
        await producer.send(Array.from({ length: 5 }, (_, index) => plain(topic, `old ${index}`)));
        const reader = await consume({ topic, groupProtocol });
        await eventually('the old records', () => reader.records.length === 5);
        await admin.deleteTopics([topic]);
        await eventually('it is gone', async () => !(await admin.listTopics()).includes(topic));
        await admin.createTopics([{ topic, partitions: 1, replicationFactor: -1 }]);
        await producer.send([plain(topic, 'new 0'), plain(topic, 'new 1')]);
        await eventually('the new records', () => reader.values().includes('new 1'), 60_000);
        assert.deepEqual(reader.values().slice(5), ['new 0', 'new 1']);
      });

    test('partitions that are added to a topic are read as well', async () => {
      const topic = await createTopic(1);
      const reader = await consume({ topic });
      await producer.send([plain(topic, 'old')]);
      await withKafkaJsAdmin((raw) => raw.createPartitions({ topicPartitions: [{ topic, count: 2 }] }));
      await eventually('both partitions', () => reader.assigned.length === 2, 60_000);
      await eventually(
        'a producer that knows the new partition',
        () =>
          producer.send([{ ...plain(topic, 'new'), partition: 1 }]).then(
            () => true,
            () => false,
          ),
        60_000,
      );
      await eventually('its record', () => reader.values().includes('new'));
    });

    test('a consumer of a topic that does not exist is told so', async () => {
      await assert.rejects(
        consume({ topic: 'nowhere-at-all' }),
        (error: KafkaError) => error.kind === 'unknown-topic',
      );
    });

    test('fixed partitions are read alone, from the end as it was at the start', async () => {
      const topic = await createTopic(3);
      await producer.send([{ ...plain(topic, 'before'), partition: 1 }]);
      const reader = await consume({ topic, from: 'latest', partitions: [1] });
      await producer.send(
        [0, 1, 2].map((partition) => ({ ...plain(topic, `after ${partition}`), partition })),
      );
      await eventually('the record of partition 1', () => reader.records.length === 1);
      assert.deepEqual(reader.values(), ['after 1']);
    });

    test('a broker that crashes and comes back is survived by producer and consumer', async () => {
      const topic = await createTopic(1);
      const reader = await consume({ topic });
      const fixed = await consume({ topic, from: 'latest', partitions: [0] });
      await producer.send([plain(topic, 'before')]);
      await eventually('the first record', () => reader.records.length === 1);
      await broker.kill();
      await broker.restart();
      await eventually(
        'the producer is back',
        () =>
          producer.send([plain(topic, 'after')]).then(
            () => true,
            () => false,
          ),
        60_000,
      );
      await eventually(
        'the consumers are back',
        () => reader.values().includes('after') && fixed.values().includes('after'),
        60_000,
      );
      assert.equal(fixed.values().filter((value) => value === 'before').length, 1);
    });

    test('a consumer closes in bounded time while the broker is away', async () => {
      const topic = await createTopic(1);
      const group = await consume({ topic });
      const fixed = await consume({ topic, partitions: [0] });
      await broker.kill();
      const began = performance.now();
      await Promise.allSettled([group.consumer.close(), fixed.consumer.close()]);
      const took = performance.now() - began;
      await broker.restart();
      await eventually('the broker is back', () =>
        admin.listTopics().then(
          () => true,
          () => false,
        ),
      );
      assert.ok(took < 20_000, `it took ${took} ms`);
    });

    const transactional = async (id: string): Promise<TransactionalProducer> => {
      const transactions = kafka.transactionalProducer(id);
      transactionalProducers.push(transactions);
      await transactions.connect();
      return transactions;
    };

    test('a transaction makes its records seen and moves the group, both at once', async () => {
      const [input, output] = [await createTopic(1), await createTopic(2)];
      const group = `g-${randomUUID()}`;
      await producer.send([plain(input, 'a'), plain(input, 'b')]);
      const source = await consume({ topic: input, group });
      await eventually('the input', () => source.records.length === 2);
      const transactions = await transactional(`tx-${randomUUID()}`);
      const member = source.consumer.membership();
      for (const [index, value] of ['A', 'B'].entries())
        await transactions.sendWithOffsets([{ ...plain(output, value), partition: index }], {
          member,
          positions: [{ topic: input, partition: 0, offset: index + 1 }],
        });
      const reader = await consume({ topic: output });
      await eventually('the output', () => reader.records.length === 2);
      assert.deepEqual(reader.values().sort(), ['A', 'B']);
      assert.deepEqual(await admin.committed(group, input), [{ partition: 0, offset: 2 }]);
    });

    test('a transaction that fails leaves nothing to be seen and the group where it was', async () => {
      const input = await createTopic(1);
      const [output, small] = [await createTopic(1), await createTopic(1, { 'max.message.bytes': '10000' })];
      const group = `g-${randomUUID()}`;
      const source = await consume({ topic: input, group });
      const transactions = await transactional(`tx-${randomUUID()}`);
      const offsets = {
        member: source.consumer.membership(),
        positions: [{ topic: input, partition: 0, offset: 7 }],
      };
      await assert.rejects(
        transactions.sendWithOffsets([plain(output, 'unseen'), plain(small, 'x'.repeat(20_000))], offsets),
        (error: KafkaError) => error.kind === 'too-large',
      );
      await transactions.sendWithOffsets([plain(output, 'seen')]);
      const reader = await consume({ topic: output });
      await eventually('what is to be seen', () => reader.values().includes('seen'));
      assert.deepEqual(reader.values(), ['seen']);
      assert.deepEqual(await admin.committed(group, input), [{ partition: 0, offset: -1 }]);
    });

    test('who comes later under the same transactional id shuts the former out', async () => {
      const output = await createTopic(1);
      const id = `tx-${randomUUID()}`;
      const zombie = await transactional(id);
      await zombie.sendWithOffsets([plain(output, 'before')]);
      const successor = await transactional(id);
      await successor.sendWithOffsets([plain(output, 'successor')]);
      for (let attempt = 0; attempt < 2; attempt++)
        await assert.rejects(
          zombie.sendWithOffsets([plain(output, 'zombie')]),
          (error: KafkaError) => error.kind === 'fenced',
        );
      await successor.sendWithOffsets([plain(output, 'successor again')]);
      const reader = await consume({ topic: output });
      await eventually('the last record', () => reader.values().includes('successor again'));
      assert.deepEqual(reader.values(), ['before', 'successor', 'successor again']);
    });

    test('a member that its group has left behind moves nothing, not with a transaction either', async (t) => {
      if (!modernGroups) return t.skip('this client does not say who it is');
      const [input, output] = [await createTopic(1), await createTopic(1)];
      const group = `g-${randomUUID()}`;
      const first = await consume({ topic: input, group });
      const stale = first.consumer.membership();
      await consume({ topic: input, group });
      const transactions = await transactional(`tx-${randomUUID()}`);
      await assert.rejects(
        transactions.sendWithOffsets([plain(output, 'stale')], {
          member: stale,
          positions: [{ topic: input, partition: 0, offset: 1 }],
        }),
        (error: KafkaError) => error.kind === 'rebalanced',
      );
      assert.deepEqual(await admin.committed(group, input), [{ partition: 0, offset: -1 }]);
    });

    test('a member with an instance id comes back to its partitions, and nobody else notices', async (t) => {
      if (!modernGroups) return t.skip('this client has no static membership');
      const topic = await createTopic(4);
      const group = `g-${randomUUID()}`;
      const stable = { topic, group, sessionTimeoutMs: 30_000 };
      const other = await consume(stable);
      const named = await consume({ ...stable, instanceId: 'node-7' });
      await eventually('both have two', () => other.assigned.length === 2 && named.assigned.length === 2);
      const { assignments } = other;
      await named.consumer.close();
      const back = await consume({ ...stable, instanceId: 'node-7' });
      assert.deepEqual(back.assigned, named.assigned);
      await producer.send(
        [0, 1, 2, 3].map((partition) => ({ ...plain(topic, String(partition)), partition })),
      );
      await eventually('all records', () => other.records.length + back.records.length === 4);
      assert.equal(other.assignments, assignments);
    });

    test('a member whose instance id another takes ends, and says why', async (t) => {
      if (!modernGroups) return t.skip('this client has no static membership');
      const topic = await createTopic(1);
      const group = `g-${randomUUID()}`;
      let crash: KafkaError | undefined;
      const onCrash = (error: KafkaError): void => {
        crash = error;
      };
      await consume({ topic, group, instanceId: 'one' }, { onCrash });
      await consume({ topic, group, instanceId: 'one' });
      await eventually('the first has ended', () => crash?.kind === 'fenced');
    });

    test('with the protocol of KIP-848 only what goes elsewhere is given up, and commits succeed until then', async (t) => {
      if (!modernGroups) {
        const options = { group: 'g', topic: 't', from: 'earliest', sessionTimeoutMs: 6_000 } as const;
        assert.throws(
          () => kafka.consumer({ ...options, fetchMaxBytes: 1, groupProtocol: 'consumer' }),
          /KAFKA_CLIENT=platformatic/,
        );
        return t.skip('this client does not know it, and says so');
      }
      const topic = await createTopic(4);
      const group = `g-${randomUUID()}`;
      const modern = { topic, group, groupProtocol: 'consumer' } as const;
      await producer.send(
        Array.from({ length: 40 }, (_, index) => ({ ...plain(topic, String(index)), partition: index % 4 })),
      );
      const revoked: TopicPartition[] = [];
      const first: Reader = await consume(modern, {
        onRevoked: async (partitions) => {
          revoked.push(...partitions);
          await new Promise((resolve) => setTimeout(resolve, 500));
          await first.consumer.commit(partitions.map(({ partition }) => ({ topic, partition, offset: 10 })));
        },
      });
      await eventually('forty records', () => first.records.length === 40);
      const second = await consume(modern);
      await eventually(
        'both have two',
        () => first.assigned.length === 2 && second.assigned.length === 2,
        30_000,
      );
      assert.equal(revoked.length, 2);
      await producer.send(
        [0, 1, 2, 3].map((partition) => ({ ...plain(topic, `new ${partition}`), partition })),
      );
      await eventually('the new records', () => first.records.length + second.records.length === 44);
      assert.equal(second.records.length, 2);
      await second.consumer.close();
      await eventually('the first has all again', () => first.assigned.length === 4, 30_000);
    });

    test('topics are listed, counted, created once and deleted', async () => {
      const topic = await createTopic(3);
      assert.deepEqual(await admin.createTopics([{ topic, partitions: 3, replicationFactor: -1 }]), []);
      assert.equal(await admin.partitionCount(topic), 3);
      await producer.send([{ ...plain(topic, 'x'), partition: 2 }]);
      const offsets = (await admin.offsets(topic)).sort((a, b) => a.partition - b.partition);
      assert.deepEqual(
        offsets.map(({ start, end }) => [start, end]),
        [
          [0, 0],
          [0, 0],
          [0, 1],
        ],
      );
      await admin.deleteTopics([topic]);
      await eventually('it is gone', async () => !(await admin.listTopics()).includes(topic));
    });
  });
}

function plain(topic: string, value: string): OutgoingRecord {
  return { topic, key: null, value: Buffer.from(value), headers: {} };
}

/** A consumer that keeps what it reads. */
class Reader {
  readonly records: KafkaRecord[] = [];
  assigned: readonly TopicPartition[] = [];
  assignments = 0;

  constructor(
    readonly consumer: KafkaConsumer,
    readonly handlers: Partial<ConsumerHandlers>,
  ) {}

  values(): string[] {
    return this.records.map(({ value }) => value?.toString() ?? '');
  }

  start(): Promise<void> {
    return this.consumer.start({
      onCrash: () => undefined,
      ...this.handlers,
      onRecords: (records, highWatermark) => {
        this.records.push(...records);
        return this.handlers.onRecords?.(records, highWatermark);
      },
      onAssigned: (partitions) => {
        this.assigned = [...this.assigned, ...partitions];
        this.assignments++;
      },
      onRevoked: async (partitions) => {
        this.assigned = this.assigned.filter(
          ({ partition }) => !partitions.some((revoked) => revoked.partition === partition),
        );
        await this.handlers.onRevoked?.(partitions);
      },
    });
  }
}
