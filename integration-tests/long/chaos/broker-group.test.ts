import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InferenceNode } from '../../../consumers/node/node.js';
import type { LocalBroker } from '../../../local-cluster/broker.js';
import { startTestBrokerGroup } from '../../support/broker-group.js';
import { eventually } from '../../support/eventually.js';
import { Harness } from '../../support/harness.js';
import { steadyLoad, type SteadyLoad } from '../../support/load.js';
import { SmallDisk } from '../../support/small-disk.js';
import type { RawClient } from '../../support/raw-client.js';

const RECOVERY_LIMIT_MS = 90_000;
const DISK_MIB = 96;
/** Long enough for all clients to move to the other brokers. */
const AWAY_MS = 8_000;

let disk: SmallDisk | undefined;
let brokers: readonly LocalBroker[];
let harness: Harness;
let nodes: InferenceNode[];
let rawClient: RawClient;
let load: SteadyLoad;

before(async () => {
  disk = await SmallDisk.mount(DISK_MIB);
  const started = await startTestBrokerGroup({
    dataDirs: [undefined, undefined, disk?.folder],
    // Indexes are preallocated, 20 MiB per partition by default.
    settings: { 'log.index.size.max.bytes': '65536' },
  });
  brokers = started.brokers;
  harness = await Harness.on(started.group, ['scale']);
  nodes = [await harness.node(), await harness.node()];
  rawClient = await harness.rawClient();
});
afterEach(async () => {
  const asked = await load.stop(RECOVERY_LIMIT_MS);
  for (const { correlation, values } of asked)
    for (const reply of rawClient.repliesTo(correlation))
      assert.deepEqual(
        load.valuesIn(reply),
        values.map((value) => Math.fround(value * 2)),
      );
  await eventually(
    'all offsets are committed',
    async () => (await harness.uncommitted('scale')) === 0,
    RECOVERY_LIMIT_MS,
  );
  for (const node of nodes)
    assert.equal(await Promise.race([node.failed, Promise.resolve('serving')]), 'serving');
});
after(async () => {
  await harness?.close();
  await disk?.unmount();
});

function startLoad(): SteadyLoad {
  load = steadyLoad(rawClient, harness.topics.requests('scale'), 'scale', 1);
  return load;
}

/** Checks that new requests are answered. */
async function assertServing(): Promise<void> {
  await load.answeredAtLeast(rawClient.replies.size + 200, RECOVERY_LIMIT_MS);
}

test('leaders and coordinators move when brokers are killed in turn, and no request is lost', async () => {
  startLoad();
  for (const broker of brokers) {
    await assertServing();
    await broker.kill();
    await sleep(AWAY_MS);
    await assertServing();
    await broker.restart();
    await sleep(AWAY_MS);
  }
  await assertServing();
});

test('no request is lost in a rolling restart of all brokers', async () => {
  startLoad();
  for (const broker of brokers) {
    await assertServing();
    await broker.restart();
    await sleep(AWAY_MS);
  }
  await assertServing();
});

test('no request is lost when the disk of a broker is full', async (t) => {
  startLoad();
  const [, , broker] = brokers;
  if (!disk || !broker) return t.skip('not authorized to mount a small file system');
  await assertServing();
  await disk.fill();
  const ended = await Promise.race([broker.exited, sleep(RECOVERY_LIMIT_MS)]);
  assert.ok(ended, 'the broker stops after losing its only disk');
  await assertServing();
  await disk.free();
  await broker.restart();
  await assertServing();
});
