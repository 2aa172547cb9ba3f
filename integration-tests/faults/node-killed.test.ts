import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Harness } from '../support/harness.js';
import { eventually } from '../support/eventually.js';
import { steadyLoad } from '../support/load.js';

let harness: Harness;
before(async () => {
  harness = await Harness.start(['slow'], { sessionTimeoutMs: 6_000, drainTimeoutMs: 5_000 });
});
after(() => harness.close());

test('requests that a killed node has not answered are answered by the other, with the same values', async () => {
  const doomed = await harness.nodeProcess({ nodeId: 'doomed' });
  await harness.nodeProcess({ nodeId: 'heir' });
  const rawClient = await harness.rawClient();
  const load = steadyLoad(rawClient, harness.topics.requests('slow'), 'slow');
  await load.answeredBy('doomed', 50);
  doomed.kill('SIGKILL');
  assert.equal((await doomed.exited).signal, 'SIGKILL');
  const sentBefore = load.sentSoFar();
  await load.answeredAtLeast(sentBefore + 200, 60_000);
  const asked = await load.stop(60_000);
  for (const { correlation, values } of asked) {
    const replies = rawClient.repliesTo(correlation);
    assert.ok(replies.length >= 1);
    for (const reply of replies) {
      assert.equal(reply.id, replies[0]?.id);
      assert.deepEqual(load.valuesIn(reply), values);
    }
  }
  await eventually('all offsets are committed', async () => (await harness.uncommitted('slow')) === 0);
});
