import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import type { KafkaError } from '../../../kafka/port.js';
import { eventually } from '../eventually.js';
import { plain, type PortUnderTest } from './port-under-test.js';

/** Tests start positions, consumption and backpressure. */
export function testConsuming(port: PortUnderTest): void {
  const { modernGroups } = port.abilities;

  test('a restarted consumer resumes from the committed offset', async () => {
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

  test('a paused partition delivers nothing until it is resumed, while others continue', async () => {
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

  test('a pending promise of the handler delays the next fetch for longer than the session timeout without losing membership', async () => {
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

  test('a group resumes from the log start offset if the committed offset has been deleted', async () => {
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
    test(`a recreated topic is read from the beginning (${groupProtocol} protocol)`, async () => {
      const topic = await port.createTopic(1);
      await port.producer.send(Array.from({ length: 5 }, (_, index) => plain(topic, `old ${index}`)));
      const reader = await port.consume({ topic, groupProtocol });
      await eventually('the old records', () => reader.records.length === 5);
      await port.admin.deleteTopics([topic]);
      await eventually('the removal', async () => !(await port.admin.listTopics()).includes(topic));
      await port.admin.createTopics([{ topic, partitions: 1, replicationFactor: -1 }]);
      await port.producer.send([plain(topic, 'new 0'), plain(topic, 'new 1')]);
      await eventually('the new records', () => reader.values().includes('new 1'), 60_000);
      assert.deepEqual(reader.values().slice(5), ['new 0', 'new 1']);
    });

  test('partitions added to a topic are consumed, too', async () => {
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

  test('a consumer of a missing topic fails with the reason', async () => {
    await assert.rejects(
      port.consume({ topic: 'nowhere-at-all' }),
      (error: KafkaError) => error.kind === 'unknown-topic',
    );
  });

  test('a fixed assignment reads only its partitions, from their end offsets at the start', async () => {
    const topic = await port.createTopic(3);
    await port.producer.send([{ ...plain(topic, 'before'), partition: 1 }]);
    const reader = await port.consume({ topic, from: 'latest', partitions: [1] });
    await port.producer.send(
      [0, 1, 2].map((partition) => ({ ...plain(topic, `after ${partition}`), partition })),
    );
    await eventually('the record of partition 1', () => reader.records.length === 1);
    assert.deepEqual(reader.values(), ['after 1']);
  });

  test('a fixed assignment can be read as soon as its topic exists', async () => {
    for (let round = 0; round < 20; round++)
      await port.consume({ topic: await port.createTopic(4), from: 'latest', partitions: [0, 1, 2, 3] });
  });
}

/** Runs operations that the port does not offer. */
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
