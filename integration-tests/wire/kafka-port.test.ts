import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { checkConfig } from '../../core/config/config.js';
import { createKafkaClient } from '../../kafka/client.js';
import type { KafkaClient, KafkaConsumer } from '../../kafka/port.js';
import { createLogger } from '../../core/log.js';
import { startTestBroker, type TestBroker } from '../support/broker.js';
import { describeKafkaPort } from '../support/conformance/index.js';
import { eventually } from '../support/eventually.js';

const clientOf = (kafkaClient: string, brokers: string): KafkaClient =>
  createKafkaClient(
    checkConfig({ brokers, kafkaClient }),
    'conformance',
    createLogger('conformance', 'silent'),
  );

describeKafkaPort('kafkajs', { modernGroups: false, shareGroups: false }, (brokers) =>
  clientOf('kafkajs', brokers),
);
describeKafkaPort('native', { modernGroups: true, shareGroups: true }, (brokers) =>
  clientOf('native', brokers),
);

describe('a group with both clients', () => {
  let broker: TestBroker;
  const consumers: KafkaConsumer[] = [];

  before(async () => {
    broker = await startTestBroker();
  });

  after(async () => {
    await Promise.allSettled(consumers.map((consumer) => consumer.close()));
    await broker.stop();
  });

  const join = async (client: string): Promise<{ partitions: () => number[] }> => {
    let assigned: number[] = [];
    const consumer = clientOf(client, broker.bootstrap).consumer({
      group: 'mixed',
      topic: 'mixed',
      from: 'earliest',
      sessionTimeoutMs: 6_000,
      fetchMaxBytes: 1_000_000,
    });
    consumers.push(consumer);
    await consumer.start({
      onRecords: () => undefined,
      onAssigned: (partitions) => {
        assigned = partitions.map(({ partition }) => partition);
      },
      onRevoked: () => Promise.resolve(),
      onCrash: () => undefined,
    });
    return { partitions: () => assigned };
  };

  for (const [first, second] of [
    ['kafkajs', 'native'],
    ['native', 'kafkajs'],
  ] as const)
    test(`${second} shares partitions with ${first}, so one client can replace the other`, async () => {
      const admin = clientOf(first, broker.bootstrap).admin();
      await admin.connect();
      await admin.createTopics([{ topic: 'mixed', partitions: 4, replicationFactor: -1 }]);
      await admin.close();
      const members = [await join(first), await join(second)];
      await eventually(
        'two each',
        () => members.every(({ partitions }) => partitions().length === 2),
        30_000,
      );
      const all = members.flatMap(({ partitions }) => partitions());
      assert.deepEqual(all.sort(), [0, 1, 2, 3]);
      await Promise.all(consumers.splice(0).map((consumer) => consumer.close()));
    });
});
