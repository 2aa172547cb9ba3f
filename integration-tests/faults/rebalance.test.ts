import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Harness } from '../support/harness.js';
import { steadyLoad } from '../support/load.js';

let harness: Harness;
before(async () => {
  harness = await Harness.start(['scale', 'slow']);
});
after(() => harness.close());

test('nodes that join and leave during batches lose and repeat no request', async () => {
  const first = await harness.node({ nodeId: 'first' });
  const rawClient = await harness.rawClient();
  const load = steadyLoad(rawClient, harness.topics.requests('slow'), 'slow');
  await load.answeredAtLeast(100);
  const second = await harness.node({ nodeId: 'second' });
  await load.answeredBy('second', 50);
  await first.close();
  const left = load.sentSoFar();
  await load.answeredAtLeast(left + 100);
  const asked = await load.stop();
  for (const { correlation, values } of asked) {
    const reply = rawClient.replyTo(correlation);
    assert.equal(reply.error, null);
    assert.deepEqual(load.valuesIn(reply), values);
  }
  assert.deepEqual(second.models, ['scale', 'slow']);
});
