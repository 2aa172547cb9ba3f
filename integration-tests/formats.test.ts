import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadDigits, loadExpectations } from '../examples/digits/dataset.js';
import type { PartituraClient } from '../producers/index.js';
import { Harness, type ModelName } from './support/harness.js';

const TOLERANCE = 1e-5;
let harness: Harness;
before(async () => {
  harness = await Harness.start(['digits', 'digits-graph', 'digits-layers', 'double']);
});
after(() => harness.close());

const digits = loadDigits();

test('SavedModel, graph model and layers model are served side by side and reach their accuracy', async () => {
  const node = await harness.node();
  assert.deepEqual([...node.models].sort(), ['digits', 'digits-graph', 'digits-layers']);
  const client = await harness.client();
  for (const model of ['digits', 'digits-graph', 'digits-layers'] as const) {
    assert.ok((await heldBackCorrect(client, model)) >= loadExpectations().heldBackCorrect, model);
  }
});

test('the fixed rows get the probabilities that the training script wrote down', async () => {
  const client = await harness.client();
  for (const { pixels, probabilities } of loadExpectations().samples) {
    for (const model of ['digits', 'digits-graph'] as const) {
      const { outputs } = await client.predict(model, { pixels: [pixels] });
      const answer = outputs['probabilities']?.data as Float32Array;
      probabilities.forEach((probability, index) =>
        assert.ok(Math.abs((answer[index] ?? NaN) - probability) < TOLERANCE),
      );
    }
  }
});

test('a model with a type that the engine lacks is not served and says what to do', async () => {
  const node = await harness.node();
  const double = node.status().models.find(({ model }) => model === 'double');
  assert.equal(double?.state, 'FAILED');
  assert.match(double?.message ?? '', /FP64/);
  assert.match(double?.message ?? '', /cast|ONNX/i);
});

test('without the native library WebAssembly serves what it can, and says so', async () => {
  const node = await harness.node({ engine: 'wasm', prefix: 'wasm' });
  assert.deepEqual([...node.models].sort(), ['digits-graph', 'digits-layers']);
  assert.match(node.status().models.find(({ model }) => model === 'digits')?.message ?? '', /SavedModel/);
  const client = await harness.client({ prefix: 'wasm' });
  assert.ok((await heldBackCorrect(client, 'digits-graph')) >= loadExpectations().heldBackCorrect);
  assert.ok(node.status().models.every(({ state, backend }) => state !== 'AVAILABLE' || backend === 'wasm'));
});

async function heldBackCorrect(client: PartituraClient, model: ModelName): Promise<number> {
  const heldBack = digits.pixels.filter((_, index) => digits.heldBack[index]);
  const labels = digits.labels.filter((_, index) => digits.heldBack[index]);
  let correct = 0;
  for await (const attempt of client.predictMany(
    model,
    heldBack.map((pixels) => ({ pixels: { data: pixels, shape: [1, 64] } })),
  )) {
    if (!('prediction' in attempt)) throw attempt.error;
    const probabilities = Array.from(attempt.prediction.outputs['probabilities']?.data as Float32Array);
    if (probabilities.indexOf(Math.max(...probabilities)) === labels[attempt.index]) correct++;
  }
  return correct;
}
