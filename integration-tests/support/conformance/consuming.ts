import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import type { KafkaError } from '../../../kafka/port.js';
import { eventually } from '../eventually.js';
import { plain, type PortUnderTest } from './port-under-test.js';

/** Where a consumer begins, what it reads, and how it is held back. */
export function testConsuming(port: PortUnderTest): void {
  const { modernGroups } = port.abilities;

  test('a consumer that comes back goes on at the committed position', async () => {
    const topic = await port.createTopic(1);
    const group = `g-${randomUUID()}`;
    await port.producer.send(Array.from({ length: 10 }, (_, index) => plain(topic, String(index))));
    const first = await port.consume({ topic, group });
    await eventually('ten records', () => first.records.length === 10);
    await first.consumer.commit([{ topic, partition: 0, offset: 4 }]);
    assert.deepEqual(await port.admin.committed(group, topic), [{ partition: 0, offset: 4, metadata: '' }]);
    await first.consumer.close();
    const second = await port.consume({ topic, group });
    await eventually('the rest', () => second.records.length >= 6);
    assert.deepEqual(second.values(), ['4', '5', '6', '7', '8', '9']);
  });

  test('a paused partition brings nothing until it is resumed, while others go on', async () => {
    const topic = await port.createTopic(2);
    const reader = await port.consume({ topic });
    reader.consumer.pause([{ topic, partition: 0 }]);
    await port.producer.send([
      { ...plain(topic, 'other'), partition: 1 },
      { ...plain(topic, 'held'), partition: 0 },
    ]);
    await eventually('the other partition', () => reader.values().includes('other'));
    await port.producer.send([{ ...plain(topic, 'other again'), partition: 1 }]);
    await eventually('the other partition again', () => reader.values().includes('other again'));
    assert.ok(!reader.values().includes('held'));
    reader.consumer.resume([{ topic, partition: 0 }]);
    await eventually('the held record', () => reader.values().includes('held'));
  });

  test('a promise from the handler holds back the next fetch for longer than the session, without losing membership', async () => {
    const topic = await port.createTopic(1);
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const reader = await port.consume({ topic }, { onRecords: () => held });
    await port.producer.send([plain(topic, 'first')]);
    await eventually('the first record', () => reader.records.length === 1);
    await port.producer.send([plain(topic, 'second')]);
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    assert.equal(reader.records.length, 1);
    release();
    await eventually('the second record', () => reader.records.length === 2);
    assert.equal(reader.assignments, 1);
  });

  test('a group goes on where the log begins when what it committed has been deleted', async () => {
    const topic = await port.createTopic(1);
    const group = `g-${randomUUID()}`;
    await port.producer.send(Array.from({ length: 10 }, (_, index) => plain(topic, String(index))));
    const first = await port.consume({ topic, group });
    await first.consumer.commit([{ topic, partition: 0, offset: 2 }]);
    await first.consumer.close();
    await port.admin.deleteRecords(topic, [{ partition: 0, offset: 6 }]);
    const second = await port.consume({ topic, group });
    await eventually('the rest', () => second.records.length === 4);
    assert.deepEqual(second.values(), ['6', '7', '8', '9']);
  });

  for (const groupProtocol of modernGroups ? (['classic', 'consumer'] as const) : (['classic'] as const))
    test(`a topic that is deleted and made anew is read from its beginning (${groupProtocol} protocol)`, async () => {
      const topic = await port.createTopic(1);
      await port.producer.send(Array.from({ length: 5 }, (_, index) => plain(topic, `old ${index}`)));
      const reader = await port.consume({ topic, groupProtocol });
      await eventually('the old records', () => reader.records.length === 5);
      await port.admin.deleteTopics([topic]);
      await eventually('it is gone', async () => !(await port.admin.listTopics()).includes(topic));
      await port.admin.createTopics([{ topic, partitions: 1, replicationFactor: -1 }]);
      await port.producer.send([plain(topic, 'new 0'), plain(topic, 'new 1')]);
      await eventually('the new records', () => reader.values().includes('new 1'), 60_000);
      assert.deepEqual(reader.values().slice(5), ['new 0', 'new 1']);
    });

  test('partitions that are added to a topic are read as well', async () => {
    const topic = await port.createTopic(1);
    const reader = await port.consume({ topic });
    await port.producer.send([plain(topic, 'old')]);
    await withKafkaJsAdmin(port, (raw) => raw.createPartitions({ topicPartitions: [{ topic, count: 2 }] }));
    await eventually('both partitions', () => reader.assigned.length === 2, 60_000);
    await eventually(
      'a producer that knows the new partition',
      () =>
        port.producer.send([{ ...plain(topic, 'new'), partition: 1 }]).then(
          () => true,
          () => false,
        ),
      60_000,
    );
    await eventually('its record', () => reader.values().includes('new'));
  });

  test('a consumer of a topic that does not exist is told so', async () => {
    await assert.rejects(
      port.consume({ topic: 'nowhere-at-all' }),
      (error: KafkaError) => error.kind === 'unknown-topic',
    );
  });

  test('fixed partitions are read alone, from the end as it was at the start', async () => {
    const topic = await port.createTopic(3);
    await port.producer.send([{ ...plain(topic, 'before'), partition: 1 }]);
    const reader = await port.consume({ topic, from: 'latest', partitions: [1] });
    await port.producer.send(
      [0, 1, 2].map((partition) => ({ ...plain(topic, `after ${partition}`), partition })),
    );
    await eventually('the record of partition 1', () => reader.records.length === 1);
    assert.deepEqual(reader.values(), ['after 1']);
  });

  test('fixed partitions can be read as soon as their topic is there', async () => {
    for (let round = 0; round < 20; round++)
      await port.consume({ topic: await port.createTopic(4), from: 'latest', partitions: [0, 1, 2, 3] });
  });
}

/** What the port does not offer and these tests need. */
async function withKafkaJsAdmin(
  { broker }: PortUnderTest,
  work: (admin: kafkajs.Admin) => Promise<unknown>,
): Promise<void> {
  const raw = new kafkajs.Kafka({
    brokers: [broker.bootstrap],
    logLevel: kafkajs.logLevel.NOTHING,
  }).admin();
  await raw.connect();
  await work(raw).finally(() => raw.disconnect());
}
