import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { checkConfig } from '../../core/config/config.js';
import { createKafkaClient } from '../../kafka/client.js';
import { Cluster } from '../../kafka/native/transport/cluster.js';
import type { KafkaAdmin, KafkaConsumer, KafkaError } from '../../kafka/port.js';
import { createLogger } from '../../core/log.js';
import type { LocalBroker } from '../../local-cluster/broker.js';
import { startTestBrokerGroup } from '../support/broker-group.js';
import { eventually } from '../support/eventually.js';
import { CHOSEN_CLIENT } from '../support/kafka-client.js';
import type { TestBroker } from '../support/test-broker.js';

const TOPIC = 'coordinated';
const RECOVERY_LIMIT_MS = 60_000;

let cluster: TestBroker;
let brokers: readonly LocalBroker[];
let admin: KafkaAdmin | undefined;
let consumer: KafkaConsumer | undefined;
let crash: KafkaError | undefined;

before(async () => {
  ({ group: cluster, brokers } = await startTestBrokerGroup());
});
after(async () => {
  await consumer?.close();
  await admin?.close();
  await cluster?.stop();
});

/** Finds a group whose coordinator leads no partition that the group reads, so that fetches do not reveal its failure. */
async function groupApartFromItsTopic(): Promise<{ group: string; coordinator: LocalBroker }> {
  const known = new Cluster({ clientId: 'test' }, brokers[0] ? [brokers[0].bootstrap] : []);
  try {
    const { leaders } = await known.refresh(TOPIC);
    const leader = known.broker(leaders[0]);
    for (let number = 0; ; number++) {
      const group = `group-${number}`;
      const { port } = await known.coordinator('GROUP', group);
      const coordinator = brokers.find(({ bootstrap }) => bootstrap.endsWith(`:${port}`));
      if (coordinator && port !== leader.port) return { group, coordinator };
    }
  } finally {
    known.close();
  }
}

async function commitEventually(group: string, offset: number): Promise<void> {
  const commit = async (): Promise<boolean> => {
    assert.equal(crash, undefined);
    await consumer?.commit([{ topic: TOPIC, partition: 0, offset }]);
    return true;
  };
  await eventually(`a commit of ${offset}`, () => commit().catch(() => false), RECOVERY_LIMIT_MS);
  const committed = await admin?.committed(group, TOPIC);
  assert.deepEqual(committed, [{ partition: 0, offset, metadata: '' }]);
}

test('commits continue when the coordinator moves to another broker, and when the former one is back', async () => {
  const config = checkConfig({ ...CHOSEN_CLIENT, brokers: cluster.bootstrap });
  const kafka = createKafkaClient(config, 'test', createLogger('test', 'silent'));
  admin = kafka.admin();
  await admin.connect();
  await admin.createTopics([{ topic: TOPIC, partitions: 1, replicationFactor: -1 }]);
  // The first lookup creates the offsets topic.
  await eventually('a coordinator', () =>
    groupApartFromItsTopic().then(
      () => true,
      () => false,
    ),
  );
  const { group, coordinator } = await groupApartFromItsTopic();
  consumer = kafka.consumer({
    group,
    topic: TOPIC,
    from: 'earliest',
    sessionTimeoutMs: 10_000,
    fetchMaxBytes: 1e6,
  });
  await consumer.start({
    onRecords: () => undefined,
    onAssigned: () => undefined,
    onRevoked: () => Promise.resolve(),
    onCrash: (error) => (crash = error),
  });
  await commitEventually(group, 1);
  await coordinator.kill();
  await commitEventually(group, 2);
  await coordinator.restart();
  for (let offset = 3; offset < 6; offset++) await commitEventually(group, offset);
});
