import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Harness } from '../support/harness.js';
import { eventually } from '../support/eventually.js';
import { floats, valuesOf } from '../support/raw-client.js';

let harness: Harness;
before(async () => {
  harness = await Harness.start(['scale']);
});
after(() => harness.close());

test('every request gets exactly one reply, with its own values, and every offset is committed', async () => {
  await harness.node();
  const rawClient = await harness.rawClient();
  const topic = harness.topics.requests('scale');
  const asked = Array.from({ length: 5_000 }, (_, index) => {
    const inputs = [floats('x', [1, 4], [index, index + 0.5, -index, 0])];
    return rawClient.request(topic, { id: `request-${index}`, model: 'scale', inputs });
  });
  await rawClient.answered(asked);
  asked.forEach((correlation, index) => {
    const reply = rawClient.replyTo(correlation);
    assert.equal(reply.error, null);
    assert.equal(reply.id, `request-${index}`);
    assert.deepEqual(valuesOf(reply.outputs[0]), [index * 2, index * 2 + 1, -index * 2, 0]);
  });
  await eventually('all offsets are committed', async () => (await harness.uncommitted('scale')) === 0);
  assert.equal((await harness.deadLetters('scale')).length, 0);
});

test('a request without a reply topic is answered on the default reply topic, with its own key', async () => {
  const rawClient = await harness.rawClient();
  const inputs = [floats('x', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8])];
  const correlation = rawClient.request(
    harness.topics.requests('scale'),
    { model: 'scale', inputs },
    { key: 'mine', wantsReply: false },
  );
  await rawClient.sent();
  await eventually(
    'a reply on the topic of replies',
    async () => (await harness.read(harness.topics.replies('scale'))).length > 0,
  );
  const [reply] = await harness.read(harness.topics.replies('scale'));
  assert.equal(reply?.key?.toString(), 'mine');
  assert.equal((reply?.headers['correlation-id'] as Buffer).toString(), correlation);
});

test('an OIP JSON request is answered in JSON', async () => {
  const rawClient = await harness.rawClient();
  const body = { id: 'j-1', inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4.5] }] };
  const correlation = rawClient.send(harness.topics.requests('scale'), Buffer.from(JSON.stringify(body)));
  await rawClient.answered([correlation]);
  const [record] = rawClient.replies.get(correlation) ?? [];
  assert.equal((record?.headers['content-type'] as Buffer).toString(), 'application/json');
  const reply = JSON.parse(record?.value?.toString() ?? '') as { id: string; outputs: { data: number[] }[] };
  assert.equal(reply.id, 'j-1');
  assert.deepEqual(reply.outputs[0]?.data, [2, 4, 6, 9]);
});
