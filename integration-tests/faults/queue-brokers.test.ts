import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { InferenceNode } from '../../consumers/node/node.js';
import type { LocalBroker } from '../../local-cluster/broker.js';
import { startTestBrokerGroup } from '../support/broker-group.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { steadyLoad } from '../support/load.js';
import type { RawClient } from '../support/raw-client.js';

const MODEL = 'scale-onnx';
const RECOVERY_LIMIT_MS = 90_000;

let harness: Harness;
let brokers: readonly LocalBroker[];
let nodes: InferenceNode[];
let caller: RawClient;

before(async () => {
  const started = await startTestBrokerGroup();
  brokers = started.brokers;
  harness = await Harness.on(started.group, [MODEL], { delivery: 'queue', kafkaClient: 'native' });
  nodes = [await harness.node(), await harness.node()];
  caller = await harness.rawClient();
});
after(() => harness.close());

async function lag(): Promise<number> {
  const [group, topic] = [harness.topics.group(MODEL), harness.topics.requests(MODEL)];
  const lags = await harness.withAdmin((admin) => admin.shareGroupLag(group, topic));
  return lags.reduce((sum, { lag: records }) => sum + records, 0);
}

test('a queue survives the death of each of its brokers, so of its leader and its coordinator', async () => {
  const load = steadyLoad(caller, harness.topics.requests(MODEL), MODEL, 1);
  for (const broker of brokers) {
    await load.answeredAtLeast(load.sentSoFar() + 50, RECOVERY_LIMIT_MS);
    await broker.kill();
    await load.answeredAtLeast(load.sentSoFar() + 100, RECOVERY_LIMIT_MS);
    await broker.restart();
  }
  for (const { correlation, values } of await load.stop(RECOVERY_LIMIT_MS))
    for (const reply of caller.repliesTo(correlation))
      assert.deepEqual(
        load.valuesIn(reply),
        values.map((value) => Math.fround(value * 2)),
      );
  await eventually('every record is acknowledged', async () => (await lag()) === 0, RECOVERY_LIMIT_MS);
  assert.deepEqual(await harness.deadLetters(MODEL), []);
  for (const node of nodes)
    assert.equal(await Promise.race([node.failed, Promise.resolve('serving')]), 'serving');
});
