import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Harness } from '../support/harness.js';
import { floats } from '../support/stranger.js';

let harness: Harness;
before(async () => {
  harness = await Harness.start(['slow']);
});
after(() => harness.close());

const inputs = [floats('x', [1, 4], [1, 2, 3, 4])];

test('a request whose deadline has passed is refused without running the model', async () => {
  const stranger = await harness.stranger();
  await harness.withAdmin((admin) =>
    admin.createTopics([{ topic: harness.topics.requests('slow'), partitions: 4, replicationFactor: -1 }]),
  );
  const late = Array.from({ length: 50 }, () =>
    stranger.request(harness.topics.requests('slow'), { model: 'slow', inputs, deadline: Date.now() - 1 }),
  );
  await stranger.sent();
  const node = await harness.node();
  await stranger.answered(late);
  for (const correlation of late)
    assert.equal(stranger.replyTo(correlation).error?.code, 'DEADLINE_EXCEEDED');
  const metrics = await (await fetch(`${node.healthUrl}/metrics`)).text();
  assert.match(metrics, /partitura_requests_total\{model="slow",outcome="DEADLINE_EXCEEDED"\} 50/);
  assert.doesNotMatch(metrics, /partitura_batch_size_count\{model="slow"\} [1-9]/);
});

test('a queue that is longer than the deadline allows refuses at once what it can not do in time, and does the rest', async () => {
  const stranger = await harness.stranger();
  const topic = harness.topics.requests('slow');
  const patient = Array.from({ length: 200 }, () =>
    stranger.request(topic, {
      model: 'slow',
      inputs: [floats('x', [300, 4], new Array<number>(1_200).fill(1))],
    }),
  );
  const hasty = Array.from({ length: 20 }, () =>
    stranger.request(topic, { model: 'slow', inputs, deadline: Date.now() + 1_500 }),
  );
  await stranger.answered(hasty);
  for (const correlation of hasty) {
    assert.equal(stranger.replyTo(correlation).error?.code, 'DEADLINE_EXCEEDED');
    assert.match(
      stranger.replyTo(correlation).error?.message ?? '',
      /the queue before the request takes about/,
    );
  }
  assert.ok(
    stranger.replies.size < hasty.length + patient.length,
    'the refusals came before the rest was done',
  );
  await stranger.answered(patient, 120_000);
  for (const correlation of patient) assert.equal(stranger.replyTo(correlation).error, null);
});
