import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { KafkaError, TopicPartition } from '../../../kafka/port.js';
import { eventually } from '../eventually.js';
import { plain, type PortUnderTest } from './port-under-test.js';
import type { Reader } from './reader.js';

/** Tests rebalances, static membership and the KIP-848 protocol. */
export function testGroups(port: PortUnderTest): void {
  const { modernGroups } = port.abilities;

  test('when a member joins, partitions are revoked first, commits succeed in time, and nothing is read twice', async () => {
    const topic = await port.createTopic(4);
    const group = `g-${randomUUID()}`;
    await port.producer.send(
      Array.from({ length: 40 }, (_, index) => ({ ...plain(topic, String(index)), partition: index % 4 })),
    );
    let revoked: readonly TopicPartition[] = [];
    const first: Reader = await port.consume(
      { topic, group },
      {
        onRevoked: async (partitions) => {
          revoked = partitions;
          await first.consumer.commit(partitions.map(({ partition }) => ({ topic, partition, offset: 10 })));
        },
      },
    );
    await eventually('forty records', () => first.records.length === 40);
    const second = await port.consume({ topic, group });
    assert.equal(revoked.length, 4);
    await eventually('both have two', () => first.assigned.length === 2 && second.assigned.length === 2);
    await port.producer.send(
      Array.from({ length: 4 }, (_, partition) => ({ ...plain(topic, `new ${partition}`), partition })),
    );
    await eventually('the new records', () => first.records.length + second.records.length === 44);
    await second.consumer.close();
    await eventually('the first has all again', () => first.assigned.length === 4);
  });

  for (const joins of ['after', 'before'] as const)
    test(`a program that joins the group ${joins} us and reads another topic gets none of our partitions`, async () => {
      const [topic, other] = [await port.createTopic(4), await port.createTopic(4)];
      const group = `g-${randomUUID()}`;
      const intruder = port.intruder(group, other);
      if (joins === 'before') await intruder.joined();
      const reader = await port.consume({ topic, group });
      if (joins === 'after') await intruder.joined();
      await eventually('all partitions are read', () => reader.assigned.length === 4, 30_000);
      await port.producer.send(
        [0, 1, 2, 3].map((partition) => ({ ...plain(topic, String(partition)), partition })),
      );
      await eventually('all records', () => reader.records.length === 4);
    });

  test('commit metadata is returned with the offset until the offset is committed without it', async () => {
    const topic = await port.createTopic(2);
    const group = `g-${randomUUID()}`;
    const { consumer } = await port.consume({ topic, group });
    await consumer.commit([{ topic, partition: 1, offset: 3, metadata: 'größer' }]);
    assert.deepEqual((await port.admin.committed(group, topic)).sort(byPartition), [
      { partition: 0, offset: -1, metadata: '' },
      { partition: 1, offset: 3, metadata: 'größer' },
    ]);
    await consumer.commit([{ topic, partition: 1, offset: 3 }]);
    assert.equal(
      (await port.admin.committed(group, topic)).find(({ partition }) => partition === 1)?.metadata,
      '',
    );
  });

  test('a static member gets its partitions back after a restart without a rebalance', async (t) => {
    if (!modernGroups) return t.skip('this client has no static membership');
    const topic = await port.createTopic(4);
    const group = `g-${randomUUID()}`;
    const stable = { topic, group, sessionTimeoutMs: 30_000 };
    const other = await port.consume(stable);
    const named = await port.consume({ ...stable, instanceId: 'node-7' });
    await eventually('both have two', () => other.assigned.length === 2 && named.assigned.length === 2);
    const { assignments } = other;
    await named.consumer.close();
    const back = await port.consume({ ...stable, instanceId: 'node-7' });
    assert.deepEqual(back.assigned, named.assigned);
    await port.producer.send(
      [0, 1, 2, 3].map((partition) => ({ ...plain(topic, String(partition)), partition })),
    );
    await eventually('all records', () => other.records.length + back.records.length === 4);
    assert.equal(other.assignments, assignments);
  });

  test('a static member that is fenced by another with the same instance id stops with the reason', async (t) => {
    if (!modernGroups) return t.skip('this client has no static membership');
    const topic = await port.createTopic(1);
    const group = `g-${randomUUID()}`;
    let crash: KafkaError | undefined;
    const onCrash = (error: KafkaError): void => {
      crash = error;
    };
    await port.consume({ topic, group, instanceId: 'one' }, { onCrash });
    await port.consume({ topic, group, instanceId: 'one' });
    await eventually('the first has ended', () => crash?.kind === 'fenced');
  });

  test('with the KIP-848 protocol only reassigned partitions are revoked, and commits succeed until then', async (t) => {
    if (!modernGroups) {
      const options = { group: 'g', topic: 't', from: 'earliest', sessionTimeoutMs: 6_000 } as const;
      assert.throws(
        () => port.kafka.consumer({ ...options, fetchMaxBytes: 1, groupProtocol: 'consumer' }),
        /KAFKA_CLIENT=native/,
      );
      return t.skip('this client does not support it');
    }
    const topic = await port.createTopic(4);
    const group = `g-${randomUUID()}`;
    const modern = { topic, group, groupProtocol: 'consumer' } as const;
    await port.producer.send(
      Array.from({ length: 40 }, (_, index) => ({ ...plain(topic, String(index)), partition: index % 4 })),
    );
    const revoked: TopicPartition[] = [];
    const first: Reader = await port.consume(modern, {
      onRevoked: async (partitions) => {
        revoked.push(...partitions);
        await new Promise((resolve) => setTimeout(resolve, 500));
        await first.consumer.commit(partitions.map(({ partition }) => ({ topic, partition, offset: 10 })));
      },
    });
    await eventually('forty records', () => first.records.length === 40);
    const second = await port.consume(modern);
    await eventually(
      'both have two',
      () => first.assigned.length === 2 && second.assigned.length === 2,
      30_000,
    );
    assert.equal(revoked.length, 2);
    await port.producer.send(
      [0, 1, 2, 3].map((partition) => ({ ...plain(topic, `new ${partition}`), partition })),
    );
    await eventually('the new records', () => first.records.length + second.records.length === 44);
    assert.equal(second.records.length, 2);
    await second.consumer.close();
    await eventually('the first has all again', () => first.assigned.length === 4, 30_000);
  });
}

function byPartition(a: { readonly partition: number }, b: { readonly partition: number }): number {
  return a.partition - b.partition;
}
