import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLogger } from '../../core/log.js';
import type { KafkaProducer } from '../../kafka/port.js';
import { FollowedTopic } from '../../kafka/reading/followed-topic.js';
import { CountedConsumers } from '../support/counted-consumers.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';

const TOPIC = 'followed';
const MEBIBYTE = 1024 * 1024;
const OPTIONS = {
  topic: TOPIC,
  log: createLogger('followed', 'silent'),
  maxRecordBytes: MEBIBYTE,
  maxBytes: MEBIBYTE,
  fetchMaxBytes: MEBIBYTE,
};

let harness: Harness;
let producer: KafkaProducer;
before(async () => {
  harness = await Harness.start([]);
  producer = harness.kafka.producer();
  await producer.connect();
  await harness.withAdmin((admin) =>
    admin.createTopics([
      { topic: TOPIC, partitions: 1, replicationFactor: 1, config: { 'cleanup.policy': 'compact' } },
    ]),
  );
  await write('a');
});
after(async () => {
  await producer.close();
  await harness.close();
});

async function write(key: string): Promise<void> {
  await producer.send([{ topic: TOPIC, key: Buffer.from(key), value: Buffer.from('1'), headers: {} }]);
}

const keysOf = (followed: FollowedTopic): string[] => followed.records().map(({ key }) => String(key));

test('a reader that fails to start is closed', async () => {
  const counted = new CountedConsumers(harness.kafka);
  counted.failing = 1;
  const followed = new FollowedTopic(counted.kafka, OPTIONS);
  await assert.rejects(followed.start(), /failure of a test/);
  assert.deepEqual([counted.created, counted.open], [1, 0]);
});

test('after a crash one reader is left, which continues; meanwhile the state is the last one known', async () => {
  const counted = new CountedConsumers(harness.kafka);
  const followed = new FollowedTopic(counted.kafka, OPTIONS);
  await followed.start();
  assert.deepEqual(keysOf(followed), ['a']);
  counted.failing = 2;
  counted.crash();
  await eventually('both attempts failed', () => {
    assert.deepEqual(keysOf(followed), ['a']);
    return counted.created === 4;
  });
  await write('b');
  await eventually('the topic is followed again', () => keysOf(followed).length === 2);
  assert.equal(counted.open, 1);
  await followed.close();
  assert.equal(counted.open, 0);
});
