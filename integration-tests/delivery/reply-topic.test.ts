import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { headerText } from '../../schemas/framing/framing.js';
import { Harness } from '../support/harness.js';
import { eventually } from '../support/eventually.js';
import { floats } from '../support/raw-client.js';

let harness: Harness;
before(async () => {
  harness = await Harness.start(['scale']);
  await harness.node();
});
after(() => harness.close());

const request = { model: 'scale', inputs: [floats('x', [1, 4], [1, 2, 3, 4])] };
const create = (topic: string): Promise<unknown> =>
  harness.withAdmin((admin) => admin.createTopics([{ topic, partitions: 1, replicationFactor: -1 }]));

test('a forbidden reply topic receives nothing, and the request becomes a dead letter', async () => {
  const rawClient = await harness.rawClient();
  const forbidden = ['orders', 'partitura.scale.requests-dlt', 'other.requests'];
  for (const topic of forbidden) await create(topic);
  const before = (await harness.deadLetters('scale')).length;
  const tried = [...forbidden, '__consumer_offsets'];
  for (const topic of tried)
    rawClient.request(harness.topics.requests('scale'), request, {
      headers: { 'reply-to': Buffer.from(topic) },
    });
  await rawClient.sent();
  await eventually(
    'dead letters',
    async () => (await harness.deadLetters('scale')).length === before + tried.length,
  );
  for (const letter of await harness.deadLetters('scale'))
    assert.equal(headerText(letter.headers, 'inference-error'), 'REPLY_TOPIC_NOT_ALLOWED');
  assert.equal((await harness.read('orders')).length, 0);
  assert.equal((await harness.read('other.requests')).length, 0);
});

test('a reply goes to the partition requested by its sender', async () => {
  const rawClient = await harness.rawClient();
  for (const partition of [0, 1, 2]) {
    const correlation = rawClient.request(harness.topics.requests('scale'), request, {
      headers: { 'reply-partition': Buffer.from(String(partition)) },
    });
    await rawClient.answered([correlation]);
    assert.equal(rawClient.replies.get(correlation)?.[0]?.partition, partition);
  }
});

test('a missing reply topic or partition makes a dead letter with the reason', async () => {
  const rawClient = await harness.rawClient();
  const before = (await harness.deadLetters('scale')).length;
  rawClient.request(harness.topics.requests('scale'), request, {
    headers: { 'reply-to': Buffer.from('nowhere.replies') },
  });
  rawClient.request(harness.topics.requests('scale'), request, {
    headers: { 'reply-partition': Buffer.from('7') },
  });
  await rawClient.sent();
  await eventually(
    'two dead letters',
    async () => (await harness.deadLetters('scale')).length === before + 2,
  );
  const messages = (await harness.deadLetters('scale')).map(
    ({ headers }) => headerText(headers, '__connect.errors.exception.message') ?? '',
  );
  assert.ok(messages.some((message) => message.includes("'nowhere.replies': expected a topic that exists")));
  assert.ok(messages.some((message) => message.includes('expected 0 to 2, got 7')));
  assert.ok(!(await harness.withAdmin((admin) => admin.listTopics())).includes('nowhere.replies'));
});
