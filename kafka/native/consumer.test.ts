import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  consumerGroupHeartbeatV1,
  findCoordinatorV4,
  listOffsetsV7,
  metadataV11,
  offsetFetchV8,
} from '@platformatic/kafka';
import { createLogger } from '../../core/log.js';
import { KafkaError } from '../port.js';
import { NativeConsumer } from './consumer.js';
import { fakeCluster, fakeMetadata } from '../../testing/native-kafka.js';

const NEEDED = [1, 3, 9, 10, 11].map((apiKey) => ({ apiKey, minVersion: 0, maxVersion: 99 }));
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('partitions lost during a join are revoked before any are assigned', async () => {
  let beats = 0;
  const beat = (): unknown => {
    const count = beats++;
    if (count === 3) throw new KafkaError('rebalanced', 'FENCED_MEMBER_EPOCH');
    const partitions = count < 2 ? [0, 1] : [0];
    return {
      memberEpoch: 1,
      heartbeatIntervalMs: 20,
      assignment: { topicPartitions: [{ topicId: 'id', partitions }] },
    };
  };
  const cluster = fakeCluster({
    answer: (api) => {
      if (api === metadataV11.api) return fakeMetadata({ t: [1, 1] });
      if (api === findCoordinatorV4.api) return { coordinators: [{ host: 'fake', port: 1 }] };
      if (api === consumerGroupHeartbeatV1.api) return beat();
      if (api === offsetFetchV8.api) return { groups: [] };
      if (api === listOffsetsV7.api)
        return { topics: [{ partitions: [0, 1].map((partitionIndex) => ({ partitionIndex, offset: 0n })) }] };
      return { apiKeys: NEEDED };
    },
    send: async () => {
      await sleep(10);
      return [];
    },
  });
  const options = {
    group: 'g',
    topic: 't',
    from: 'earliest',
    sessionTimeoutMs: 6_000,
    fetchMaxBytes: 1_000,
    groupProtocol: 'consumer',
  } as const;
  const consumer = new NativeConsumer(cluster, options, createLogger('consumer', 'silent'));
  const events: string[] = [];
  const note = (what: string, partitions: readonly { partition: number }[]): void =>
    void events.push(`${what} ${partitions.map(({ partition }) => partition).join()}`);
  await consumer.start({
    onRecords: () => undefined,
    onAssigned: (partitions) => note('assigned', partitions),
    onRevoked: (partitions) => Promise.resolve(note('revoked', partitions)),
    onCrash: (error) => assert.fail(error),
  });
  while (events.length < 4) await sleep(10);
  await consumer.close();
  assert.deepEqual(events, ['assigned 0,1', 'revoked 1', 'revoked 0', 'assigned 0']);
});
