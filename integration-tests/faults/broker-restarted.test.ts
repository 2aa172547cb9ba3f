import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Harness } from '../support/harness.js';
import { eventually } from '../support/eventually.js';
import { steadyLoad } from '../support/load.js';

let harness: Harness;
before(async () => {
  harness = await Harness.start(['scale']);
});
after(() => harness.close());

test('no request is lost when the broker crashes and restarts under load', async () => {
  const node = await harness.node();
  const rawClient = await harness.rawClient();
  const load = steadyLoad(rawClient, harness.topics.requests('scale'), 'scale');
  await load.answeredAtLeast(200);
  await harness.broker.kill();
  await harness.broker.restart();
  const sentBefore = load.sentSoFar();
  await load.answeredAtLeast(sentBefore + 200, 90_000);
  const asked = await load.stop(90_000);
  for (const { correlation, values } of asked) {
    for (const reply of rawClient.repliesTo(correlation)) {
      assert.deepEqual(
        load.valuesIn(reply),
        values.map((value) => Math.fround(value * 2)),
      );
    }
  }
  await eventually(
    'all offsets are committed',
    async () => (await harness.uncommitted('scale')) === 0,
    60_000,
  );
  assert.equal(await Promise.race([node.failed, Promise.resolve('serving')]), 'serving');
});
