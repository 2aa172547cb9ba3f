import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DEFAULT_READ_LIMITS } from '../../kafka/record-batches/read-limits.js';
import { rawBatch, rawRecord, recordOfHeaders } from '../../testing/record-batches.js';
import type { KafkaRecord } from '../../kafka/port.js';
import type { NodeProcess } from '../../local-cluster/role-process.js';
import { headerText } from '../../schemas/framing/framing.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { sendBatch } from '../support/raw-batches.js';
import { floats, type RawClient } from '../support/raw-client.js';

const GZIP = { codec: 1 };
const MIB = 1024 * 1024;
const PIECE_RECORDS = DEFAULT_READ_LIMITS.chunkRecords;

let harness: Harness;
let node: NodeProcess;
let rawClient: RawClient;
before(async () => {
  harness = await Harness.start(['scale']);
  node = await harness.nodeProcess();
  rawClient = await harness.rawClient();
});
after(() => harness.close());

const topic = (): string => harness.topics.requests('scale');
const request = { model: 'scale', inputs: [floats('x', [1, 4], [1, 2, 3, 4])] };

async function letterCount(): Promise<number> {
  const offsets = await harness.withAdmin((admin) => admin.offsets(harness.topics.deadLetters('scale')));
  return offsets.reduce((sum, { end }) => sum + end, 0);
}

/** Sends a batch followed by an ordinary request, and returns the resulting dead letters. */
async function afterBatch(batch: Buffer, letters: number, limitMs = 60_000): Promise<KafkaRecord[]> {
  const before = await letterCount();
  await sendBatch(harness.broker.bootstrap, topic(), 0, batch);
  const behind = rawClient.request(topic(), request, { partition: 0 });
  await rawClient.answered([behind], limitMs);
  assert.equal(rawClient.repliesTo(behind).length, 1);
  await eventually('dead letters', async () => (await letterCount()) >= before + letters, limitMs);
  await eventually('all offsets are committed', async () => (await harness.uncommitted('scale')) === 0);
  assert.equal(await letterCount(), before + letters, 'each dead letter exists once');
  assert.equal(await Promise.race([node.exited, Promise.resolve('serving')]), 'serving');
  if (letters === 0 || letters > 10) return [];
  return (await harness.deadLetters('scale')).sort((a, b) => sourceOf(a) - sourceOf(b)).slice(-letters);
}

/** Returns the offset of the original record of a dead letter. */
function sourceOf({ headers }: KafkaRecord): number {
  return Number(headerText(headers, '__connect.errors.offset'));
}

const message = (letter: KafkaRecord | undefined): string =>
  headerText(letter?.headers ?? {}, '__connect.errors.exception.message') ?? '';

test('eighty million headers in one record of 233 kB make one dead letter that names the exceeded limit', async () => {
  const batch = rawBatch(gzipSync(recordOfHeaders(80_000_000)), 1, GZIP);
  assert.ok(batch.length < 300_000);
  const [letter] = await afterBatch(batch, 1);
  assert.match(message(letter), /decompressed size exceeds 33554432 bytes/);
  assert.ok(headerText(letter?.headers ?? {}, '__connect.errors.value.dropped'));
});

test('a million headers, which fit into a batch, make one dead letter likewise', async () => {
  const [letter] = await afterBatch(rawBatch(gzipSync(recordOfHeaders(1_000_000)), 1, GZIP), 1);
  assert.match(message(letter), /expected at most 15625 headers per record, got 1000000/);
});

test('two hundred megabytes of zeros in one record make one dead letter without a value', async () => {
  const batch = rawBatch(gzipSync(rawRecord({ value: Buffer.alloc(200 * MIB) })), 1, GZIP);
  assert.ok(batch.length < 300_000);
  const [letter] = await afterBatch(batch, 1);
  assert.equal(letter?.value, null);
  assert.match(message(letter), /decompressed size exceeds 33554432 bytes/);
});

test('twenty-eight megabytes of zeros make a dead letter with its value, compressed on the first attempt', async () => {
  const batch = rawBatch(gzipSync(rawRecord({ value: Buffer.alloc(28 * MIB) })), 1, GZIP);
  const [letter] = await afterBatch(batch, 1);
  assert.equal(letter?.value?.length, 28 * MIB);
});

test('150,000 one-byte records in a batch each become one dead letter', async () => {
  const records = Array.from({ length: 150_000 }, (_, offsetDelta) =>
    rawRecord({ offsetDelta, value: Buffer.from('x') }),
  );
  const batch = rawBatch(gzipSync(Buffer.concat(records)), records.length, GZIP);
  let most = 0;
  const sampling = setInterval(() => void inFlight().then((count) => (most = Math.max(most, count))), 50);
  await afterBatch(batch, records.length, 180_000).finally(() => clearInterval(sampling));
  const { maxInflightRequests } = harness.config();
  assert.ok(most > 0 && most <= maxInflightRequests + PIECE_RECORDS, `${most} in flight at peak`);
});

async function inFlight(): Promise<number> {
  const text = await (await fetch(`${node.ready.health}/metrics`)).text();
  return Number(/^partitura_inflight_requests ([0-9]+)$/m.exec(text)?.[1] ?? 0);
}

test('an empty batch and a batch of empty records delay no others', async () => {
  await afterBatch(rawBatch(gzipSync(rawRecord({})), 1, GZIP), 0);
  await afterBatch(rawBatch(rawRecord({}), 1), 0);
});
