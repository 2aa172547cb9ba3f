import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Harness } from '../support/harness.js';
import { floats } from '../support/raw-client.js';

let harness: Harness;
before(async () => {
  harness = await Harness.start(['slow']);
});
after(() => harness.close());

const inputs = [floats('x', [1, 4], [1, 2, 3, 4])];

test('a request whose deadline has passed is refused without running the model', async () => {
  const rawClient = await harness.rawClient();
  await harness.withAdmin((admin) =>
    admin.createTopics([{ topic: harness.topics.requests('slow'), partitions: 4, replicationFactor: -1 }]),
  );
  const late = Array.from({ length: 50 }, () =>
    rawClient.request(harness.topics.requests('slow'), { model: 'slow', inputs, deadline: Date.now() - 1 }),
  );
  await rawClient.sent();
  const node = await harness.node();
  await rawClient.answered(late);
  for (const correlation of late)
    assert.equal(rawClient.replyTo(correlation).error?.code, 'DEADLINE_EXCEEDED');
  const metrics = await (await fetch(`${node.healthUrl}/metrics`)).text();
  assert.match(metrics, /partitura_requests_total\{model="slow",outcome="DEADLINE_EXCEEDED"\} 50/);
  assert.doesNotMatch(metrics, /partitura_batch_size_count\{model="slow"\} [1-9]/);
});

test('requests that the queue cannot serve before their deadline are refused immediately, and the rest are answered', async () => {
  const rawClient = await harness.rawClient();
  const topic = harness.topics.requests('slow');
  const patient = Array.from({ length: 200 }, () =>
    rawClient.request(topic, {
      model: 'slow',
      inputs: [floats('x', [300, 4], new Array<number>(1_200).fill(1))],
    }),
  );
  const hasty = Array.from({ length: 20 }, () =>
    rawClient.request(topic, { model: 'slow', inputs, deadline: Date.now() + 1_500 }),
  );
  await rawClient.answered(hasty);
  for (const correlation of hasty) {
    assert.equal(rawClient.replyTo(correlation).error?.code, 'DEADLINE_EXCEEDED');
    assert.match(
      rawClient.replyTo(correlation).error?.message ?? '',
      /the queue before the request takes about/,
    );
  }
  assert.ok(
    rawClient.replies.size < hasty.length + patient.length,
    'the refusals came before the other replies',
  );
  await rawClient.answered(patient, 120_000);
  for (const correlation of patient) assert.equal(rawClient.replyTo(correlation).error, null);
});
