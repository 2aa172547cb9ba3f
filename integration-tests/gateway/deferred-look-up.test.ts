import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { DeferredReplies } from '../../gateway/deferred/deferred-replies.js';
import { clusterTopics } from '../../cluster/topic-specs.js';
import { singleObject } from '../../schemas/framing/single-object.js';
import { exampleReply } from '../../testing/requests.js';
import { Harness } from '../support/harness.js';

const OTHERS = 250;
const AT_A_TIME = 100;

let harness: Harness;
before(async () => {
  harness = await Harness.start([]);
});
after(() => harness.close());

test('a look-up reads a part of the partition, and the next one continues from there', async () => {
  const topic = harness.topics.deferredReplies;
  const correlation = randomUUID();
  const reply = (id: string) => ({
    topic,
    partition: 0,
    key: null,
    value: singleObject.encodeReply(exampleReply({ id })),
    headers: { 'correlation-id': Buffer.from(id) },
  });
  await harness.withAdmin((admin) => admin.createTopics(clusterTopics(harness.config())));
  const producer = harness.kafka.producer();
  await producer.connect();
  await producer.send([
    ...Array.from({ length: OTHERS }, () => reply(randomUUID())),
    reply(correlation),
    reply(randomUUID()),
  ]);
  await producer.close();
  const gateways = [0, 1].map(() => new DeferredReplies(harness.config(), harness.kafka, AT_A_TIME));
  const [one, other] = gateways as [DeferredReplies, DeferredReplies];
  await Promise.all(gateways.map((gateway) => gateway.open()));
  try {
    const id = { partition: 0, from: 0, correlation };
    assert.deepEqual(await one.find(id), { from: AT_A_TIME });
    assert.deepEqual(await one.find(id), { from: 2 * AT_A_TIME });
    const found = await other.find({ ...id, from: 2 * AT_A_TIME });
    assert.equal('reply' in found && found.reply.id, correlation);
    assert.deepEqual(await other.find(id), found);
    const missing = { ...id, correlation: randomUUID(), from: OTHERS };
    assert.deepEqual(await one.find(missing), { from: OTHERS + 2 });
    assert.deepEqual(await one.find(missing), { from: OTHERS + 2 });
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.close()));
  }
});
