import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Harness } from '../support/harness.js';
import { eventually } from '../support/eventually.js';
import { steadyLoad } from '../support/load.js';
import { floats } from '../support/raw-client.js';

let harness: Harness;
before(async () => {
  harness = await Harness.start([]);
  await harness.addModel('scale', '1');
});
after(() => harness.close());

const inputs = [floats('x', [1, 4], [1, 2, 3, 4])];

test('adding a version, adding a broken one and removing one under load fail no request', async () => {
  const node = await harness.node();
  const rawClient = await harness.rawClient();
  const topic = harness.topics.requests('scale');
  const load = steadyLoad(rawClient, topic, 'scale');
  const answeredByVersion = (version: string): number =>
    [...rawClient.replies.keys()].filter(
      (correlation) => rawClient.repliesTo(correlation)[0]?.modelVersion === version,
    ).length;
  await eventually('answers of version 1', () => answeredByVersion('1') > 50);

  await harness.addModel('scale', '2');
  await eventually('answers of version 2', () => answeredByVersion('2') > 50);
  await eventually('version 1 is unloaded', () => !versions(node.status()).includes('1 AVAILABLE'));

  await mkdir(join(harness.models, 'scale/3'));
  await writeFile(join(harness.models, 'scale/3/saved_model.pb'), 'not a model');
  await eventually('version 3 fails', () => versions(node.status()).includes('3 FAILED'));
  assert.ok(versions(node.status()).includes('2 AVAILABLE'), 'the last good version keeps serving');
  assert.ok(
    (node.status().models.find(({ version }) => version === '3')?.message ?? '').length > 0,
    'the reason is reported',
  );

  await harness.removeModel('scale', '3');
  await harness.removeModel('scale', '2');
  const before = load.sentSoFar();
  await eventually('version 1 serves again', () => versions(node.status()).includes('1 AVAILABLE'));
  await load.answeredAtLeast(before + 100);
  for (const { correlation, values } of await load.stop()) {
    const reply = rawClient.replyTo(correlation);
    assert.equal(reply.error, null);
    const factor = Number(reply.modelVersion);
    assert.deepEqual(
      load.valuesIn(reply),
      values.map((value) => value * factor),
    );
  }
});

test('an added model is served, and a removed one no longer', async () => {
  const node = await harness.node();
  await harness.addModel('sum');
  await eventually('sum is served', () => node.models.includes('sum'));
  const rawClient = await harness.rawClient();
  const asked = rawClient.request(harness.topics.requests('sum'), {
    model: 'sum',
    inputs: [floats('x', [1, 3], [1, 2, 3])],
  });
  await rawClient.answered([asked]);
  assert.equal(rawClient.replyTo(asked).error, null);
  await harness.removeModel('sum');
  await eventually('sum is gone', () => !node.models.includes('sum'));
  assert.ok(node.models.includes('scale'));
});

test('all versions are served if configured, and a request selects one', async () => {
  await harness.addModel('scale', '2');
  await harness.node({ versionPolicy: 'all', prefix: 'all' });
  const rawClient = await harness.rawClient();
  const ask = (modelVersion: string | null): string =>
    rawClient.request('all.scale.requests', { model: 'scale', modelVersion, inputs });
  const asked = [ask('1'), ask('2'), ask(null)];
  await rawClient.answered(asked);
  assert.deepEqual(
    asked.map((correlation) => rawClient.replyTo(correlation).modelVersion),
    ['1', '2', '2'],
  );
});

function versions({
  models,
}: {
  models: readonly { model: string; version: string; state: string }[];
}): string[] {
  return models.filter(({ model }) => model === 'scale').map(({ version, state }) => `${version} ${state}`);
}
