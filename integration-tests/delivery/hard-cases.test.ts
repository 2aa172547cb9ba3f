import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import kafkajs from 'kafkajs';
import { headerText } from '../../schemas/framing/framing.js';
import { Harness } from '../support/harness.js';
import { eventually } from '../support/eventually.js';
import { floats } from '../support/raw-client.js';

let harness: Harness;
before(async () => {
  harness = await Harness.start(['scale']);
});
after(() => harness.close());

const request = { model: 'scale', inputs: [floats('x', [1, 4], [1, 2, 3, 4])] };

test('a record that is small only while compressed becomes a dead letter and crashes no node', async () => {
  const node = await harness.node();
  const rawClient = await harness.rawClient();
  const topic = harness.topics.requests('scale');
  await sendCompressed(topic, Buffer.alloc(20_000_000, 0xff));
  const after = rawClient.request(topic, request, { partition: 0 });
  await rawClient.answered([after]);
  await eventually('a dead letter', async () => (await harness.deadLetters('scale')).length > 0);
  const letter = (await harness.deadLetters('scale')).at(-1);
  assert.equal(letter?.value?.length, 20_000_000);
  assert.equal(headerText(letter.headers, 'inference-error'), 'DECODE_FAILED');
  assert.equal(await Promise.race([node.failed, Promise.resolve('serving')]), 'serving');
});

test('a record with ten thousand headers delays no other', async () => {
  const rawClient = await harness.rawClient();
  const topic = harness.topics.requests('scale');
  const headers = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [`h-${index}`, Buffer.from('v')]),
  );
  const laden = rawClient.request(topic, request, { partition: 1, headers });
  const next = rawClient.request(topic, request, { partition: 1 });
  await rawClient.answered([laden, next], 20_000);
});

test('a deleted reply topic turns only its own replies into dead letters and delays no others for long', async () => {
  const rawClient = await harness.rawClient();
  const topic = harness.topics.requests('scale');
  const doomed = ['leaver-1.replies', 'leaver-2.replies', 'leaver-3.replies'];
  await harness.withAdmin((admin) =>
    admin.createTopics(doomed.map((name) => ({ topic: name, partitions: 1, replicationFactor: -1 }))),
  );
  for (const name of doomed)
    rawClient.request(topic, request, { headers: { 'reply-to': Buffer.from(name) } });
  await eventually('replies on them', async () =>
    (await Promise.all(doomed.map((name) => harness.read(name)))).every((records) => records.length === 1),
  );
  const before = (await harness.deadLetters('scale')).length;
  await harness.withAdmin((admin) => admin.deleteTopics(doomed));
  for (const name of doomed)
    for (let count = 0; count < 10; count++)
      rawClient.request(topic, request, { headers: { 'reply-to': Buffer.from(name) } });
  const others = Array.from({ length: 50 }, () => rawClient.request(topic, request));
  await rawClient.answered(others, 60_000);
  await eventually(
    'thirty dead letters',
    async () => (await harness.deadLetters('scale')).length === before + 30,
  );
});

test('a request topic that is recreated under a running node is read from the beginning', async () => {
  const rawClient = await harness.rawClient();
  const topic = harness.topics.requests('scale');
  await rawClient.answered(Array.from({ length: 100 }, () => rawClient.request(topic, request)));
  await harness.withAdmin((admin) => admin.deleteTopics([topic]));
  await eventually('the removal', () =>
    harness.withAdmin(async (admin) => !(await admin.listTopics()).includes(topic)),
  );
  await harness.withAdmin((admin) => admin.createTopics([{ topic, partitions: 4, replicationFactor: -1 }]));
  const fresh = await harness.rawClient();
  const ask = (count: number): string[] =>
    Array.from({ length: count }, (_, index) => fresh.request(topic, request, { partition: index % 4 }));
  // kafkajs cannot distinguish topics of the same name: it notices committed offsets beyond the end.
  if (harness.config().kafkaClient === 'kafkajs') await fresh.answered(ask(4), 90_000);
  await fresh.answered(ask(200), 90_000);
});

test('a node that is stopped during a broker outage holds no partition afterwards', async () => {
  const leaver = await harness.nodeProcess({ nodeId: 'leaver' });
  await harness.broker.kill();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const stopped = leaver.stop();
  await harness.broker.restart();
  await stopped;
  const rawClient = await harness.rawClient();
  const asked = Array.from({ length: 200 }, (_, index) =>
    rawClient.request(harness.topics.requests('scale'), request, { partition: index % 4 }),
  );
  await rawClient.answered(asked, 90_000);
});

async function sendCompressed(topic: string, value: Buffer): Promise<void> {
  const kafka = new kafkajs.Kafka({
    clientId: 'compressing',
    brokers: [harness.broker.bootstrap],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const producer = kafka.producer();
  await producer.connect();
  const headers = { 'correlation-id': randomBytes(4) };
  await producer.send({
    topic,
    messages: [{ partition: 0, value, headers }],
    compression: kafkajs.CompressionTypes.GZIP,
  });
  await producer.disconnect();
}
