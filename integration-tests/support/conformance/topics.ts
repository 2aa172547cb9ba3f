import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { formatAddress, mustParseAddress } from '../../../core/address.js';
import { eventually } from '../eventually.js';
import { Gate } from '../gate.js';
import { plain, type PortUnderTest } from './port-under-test.js';

/** Tests topic queries and changes of the admin client. */
export function testTopics(port: PortUnderTest): void {
  test('brokers are reachable at an IPv6 address', async (context) => {
    const broker = mustParseAddress(port.broker.bootstrap);
    const gate = new Gate(broker.port, '::1');
    try {
      await gate.open();
    } catch {
      return context.skip('IPv6 is not available');
    }
    const topic = await port.createTopic(1);
    const admin = port.createClient(formatAddress({ host: '::1', port: gate.port })).admin();
    try {
      await admin.connect();
      assert.equal(await admin.partitionCount(topic), 1);
    } finally {
      await admin.close();
      await gate.shut();
    }
  });

  test('broker settings are returned', async () => {
    const settings = await port.admin.brokerSettings(['socket.request.max.bytes']);
    assert.deepEqual([...settings], [['socket.request.max.bytes', '104857600']]);
  });

  test('topic settings are returned, both its own and those inherited from the broker', async () => {
    const topic = `t-${randomUUID()}`;
    const config = { 'max.message.bytes': '123456' };
    await port.admin.createTopics([{ topic, partitions: 1, replicationFactor: -1, config }]);
    const settings = await port.admin.topicSettings(topic, ['max.message.bytes', 'retention.ms']);
    assert.deepEqual(
      [...settings].sort(([a], [b]) => a.localeCompare(b)),
      [
        ['max.message.bytes', '123456'],
        ['retention.ms', '604800000'],
      ],
    );
    await assert.rejects(port.admin.topicSettings(`no-${topic}`, ['retention.ms']), {
      name: 'KafkaError',
      kind: 'unknown-topic',
    });
  });

  test('topics are listed, counted, created once and deleted', async () => {
    const topic = await port.createTopic(3);
    assert.deepEqual(await port.admin.createTopics([{ topic, partitions: 3, replicationFactor: -1 }]), []);
    assert.equal(await port.admin.partitionCount(topic), 3);
    await port.producer.send([{ ...plain(topic, 'x'), partition: 2 }]);
    const offsets = (await port.admin.offsets(topic)).sort((a, b) => a.partition - b.partition);
    assert.deepEqual(
      offsets.map(({ start, end }) => [start, end]),
      [
        [0, 0],
        [0, 0],
        [0, 1],
      ],
    );
    await port.admin.deleteTopics([topic]);
    await eventually('the removal', async () => !(await port.admin.listTopics()).includes(topic));
  });
}
