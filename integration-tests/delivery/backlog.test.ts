import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { DEFAULT_READ_LIMITS } from '../../kafka/record-batches/read-limits.js';
import { encodeRequest } from '../../schemas/framing/single-object.js';
import { Harness } from '../support/harness.js';
import { eventually } from '../support/eventually.js';
import { floats } from '../support/raw-client.js';

const WARM_UP_RECORDS = 20_000;
/** `npm run test:long -- backlog` sends more. */
const RECORDS = Number(process.env.PARTITURA_TEST_BACKLOG ?? 50_000);
/** About 205 MB of requests in total, which would be visible if a node read them all at once. */
const PADDING_BYTES = 600;
const MAX_GROWTH_MB = 200;
const MAX_INFLIGHT = 4_000;
const PIECE_RECORDS = DEFAULT_READ_LIMITS.chunkRecords;

let harness: Harness;
before(async () => {
  harness = await Harness.start(['scale']);
});
after(() => harness.close());

test(`a backlog of ${RECORDS} records increases the lag but not the memory, and is answered completely`, async () => {
  const topic = harness.topics.requests('scale');
  const node = await harness.nodeProcess({ nodeId: 'warm', maxInflightRequests: MAX_INFLIGHT });
  // Enough to grow the young generation of the node to its full size, which is not caused by the backlog.
  await produceBacklog(topic, WARM_UP_RECORDS);
  await eventually(
    'the warm-up is answered',
    async () => (await repliesOnTopic()) >= WARM_UP_RECORDS,
    60_000,
  );
  const idleMb = residentMb(node.pid);
  await node.stop();

  await produceBacklog(topic, RECORDS);
  const busy = await harness.nodeProcess({ maxInflightRequests: MAX_INFLIGHT });
  let highestMb = 0;
  let mostInflight = 0;
  await eventually(
    'the backlog is answered',
    async () => {
      highestMb = Math.max(highestMb, residentMb(busy.pid));
      mostInflight = Math.max(mostInflight, await inflight(busy.ready.health));
      return (await repliesOnTopic()) >= WARM_UP_RECORDS + RECORDS;
    },
    180_000,
  );
  assert.equal(await repliesOnTopic(), WARM_UP_RECORDS + RECORDS);
  assert.ok(highestMb - idleMb < MAX_GROWTH_MB, `memory grew from ${idleMb} to ${highestMb} MB`);
  assert.ok(mostInflight <= MAX_INFLIGHT + PIECE_RECORDS, `${mostInflight} in flight at peak`);
  await eventually('all offsets are committed', async () => (await harness.uncommitted('scale')) === 0);
});

test('a node stops fetching at its byte limit, too', async () => {
  const topic = harness.topics.requests('scale');
  const rawClient = await harness.rawClient();
  const big = { model: 'scale', inputs: [floats('x', [10_000, 4], new Array<number>(40_000).fill(1))] };
  const asked = Array.from({ length: 300 }, () => rawClient.request(topic, big));
  await rawClient.sent();
  const node = await harness.nodeProcess({ maxInflightBytes: 2_000_000, fetchMaxBytes: 1_000_000 });
  let mostBytes = 0;
  await eventually('all is answered', async () => {
    mostBytes = Math.max(mostBytes, await metric(node.ready.health, 'partitura_inflight_bytes'));
    return asked.every((correlation) => rawClient.replies.has(correlation));
  });
  assert.ok(mostBytes < 2_000_000 + 4 * 1_000_000, `${mostBytes} bytes at peak`);
});

async function produceBacklog(topic: string, records: number): Promise<void> {
  const producer = harness.kafka.producer();
  await producer.connect();
  const inputs = [floats('x', [1, 4], [1, 2, 3, 4])];
  const parameters = { padding: 'x'.repeat(PADDING_BYTES) };
  const value = encodeRequest({
    id: 'backlog',
    model: 'scale',
    modelVersion: null,
    inputs,
    outputs: [],
    parameters,
    deadline: null,
  });
  for (let sent = 0; sent < records; sent += 2_000) {
    await producer.send(
      Array.from({ length: 2_000 }, (_, index) => ({
        topic,
        partition: index % 4,
        key: null,
        value,
        headers: {},
      })),
    );
  }
  await producer.close();
}

function repliesOnTopic(): Promise<number> {
  return harness.withAdmin(async (admin) => {
    const offsets = await admin.offsets(harness.topics.replies('scale'));
    return offsets.reduce((sum, { end }) => sum + end, 0);
  });
}

const inflight = (health: string): Promise<number> => metric(health, 'partitura_inflight_requests');

async function metric(health: string, name: string): Promise<number> {
  const text = await (await fetch(`${health}/metrics`)).text();
  return Number(new RegExp(`^${name} ([0-9.e+]+)$`, 'm').exec(text)?.[1] ?? 0);
}

function residentMb(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes) / 1_024);
}
