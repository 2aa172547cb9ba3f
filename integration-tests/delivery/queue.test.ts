import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { headerText } from '../../schemas/framing/framing.js';
import { Harness, type ModelName } from '../support/harness.js';
import { eventually } from '../support/eventually.js';
import { floats, valuesOf, type RawClient } from '../support/raw-client.js';

/** Two nodes that serve `scale` and `slow` as queues, and `scale-onnx` in order. */
let harness: Harness;
let caller: RawClient;
/** Version 2 of `scale` multiplies by it. */
const FACTOR = 2;

before(async () => {
  harness = await Harness.start(['scale', 'slow', 'scale-onnx'], { kafkaClient: 'native' });
  for (const version of ['scale/2', 'slow/1'])
    await writeFile(join(harness.models, version, 'model.yaml'), 'delivery: queue\n');
  await Promise.all(['first', 'second'].map((nodeId) => harness.node({ nodeId })));
  caller = await harness.rawClient();
});
after(() => harness.close());

const ask = (model: ModelName, ...values: number[]): string =>
  caller.request(harness.topics.requests(model), { model, inputs: [floats('x', [1, 4], values)] });

const askMany = (model: ModelName, count: number): string[] =>
  Array.from({ length: count }, (_, index) => ask(model, index, 1, 2, 3));

function nodesOf(correlations: readonly string[]): Set<string | null> {
  return new Set(correlations.map((correlation) => caller.replyTo(correlation).node));
}

async function deadLetterCodes(model: ModelName): Promise<(string | undefined)[]> {
  const letters = await harness.deadLetters(model);
  return letters.map(({ headers }) => headerText(headers, 'inference-error'));
}

const lag = (model: ModelName): Promise<number> =>
  harness.withAdmin(async (admin) => {
    const lags = await admin.shareGroupLag(harness.topics.group(model), harness.topics.requests(model));
    return lags.reduce((sum, { lag: records }) => sum + records, 0);
  });

test('requests of a queue are answered by all nodes, each once, from one partition', async () => {
  const correlations = askMany('scale', 500);
  await caller.answered(correlations);
  for (const [index, correlation] of correlations.entries())
    assert.equal(valuesOf(caller.replyTo(correlation).outputs[0])[0], index * FACTOR);
  assert.equal(await harness.withAdmin((admin) => admin.partitionCount(harness.topics.requests('scale'))), 1);
  await eventually('every record is acknowledged', async () => (await lag('scale')) === 0);
});

test('slow requests go to the node that is free', async () => {
  const correlations = askMany('slow', 40);
  await caller.answered(correlations);
  assert.deepEqual([...nodesOf(correlations)].sort(), ['first', 'second']);
});

test('a record that cannot be decoded becomes a dead letter and is not delivered again', async () => {
  const broken = caller.send(harness.topics.requests('scale'), Buffer.from('{"inputs": ['));
  const good = ask('scale', 1, 2, 3, 4);
  await caller.answered([broken, good]);
  await eventually('its dead letter', async () => (await deadLetterCodes('scale')).length === 1);
  await eventually('it is acknowledged', async () => (await lag('scale')) === 0);
  assert.deepEqual(await deadLetterCodes('scale'), ['DECODE_FAILED']);
});

test('a tombstone is acknowledged without an answer', async () => {
  caller.send(harness.topics.requests('scale'), null);
  const good = ask('scale', 1, 2, 3, 4);
  await caller.answered([good]);
  await eventually('both are acknowledged', async () => (await lag('scale')) === 0);
});

test('other models of the same nodes are delivered in order, from all partitions', async () => {
  const correlations = askMany('scale-onnx', 20);
  await caller.answered(correlations);
  assert.equal(
    await harness.withAdmin((admin) => admin.partitionCount(harness.topics.requests('scale-onnx'))),
    4,
  );
});
