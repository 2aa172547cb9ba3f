import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadDigits, loadExpectations } from '../../examples/digits/dataset.js';
import type { PartituraClient } from '../../producers/index.js';
import { Harness, type ModelName } from '../support/harness.js';

const TOLERANCE = 1e-5;
/** The digits model in every format. */
const MODELS = ['digits', 'digits-graph', 'digits-layers', 'digits-onnx'] as const;
let harness: Harness;
before(async () => {
  harness = await Harness.start([...MODELS, 'double', 'sequence-onnx']);
});
after(() => harness.close());

const digits = loadDigits();

test('SavedModel, graph model, layers model and ONNX model are served together and reach their accuracy', async () => {
  const node = await harness.node();
  assert.deepEqual([...node.models].sort(), [...MODELS]);
  assert.deepEqual(
    node
      .status()
      .models.flatMap(({ model, backend }) => (model.startsWith('digits') ? [`${model} ${backend}`] : [])),
    ['digits tensorflow', 'digits-graph tensorflow', 'digits-layers tensorflow', 'digits-onnx onnxruntime'],
  );
  const client = await harness.client();
  for (const model of MODELS) {
    assert.ok((await heldBackCorrect(client, model)) >= loadExpectations().heldBackCorrect, model);
  }
});

test('sample rows get the probabilities recorded by the training script', async () => {
  const client = await harness.client();
  for (const { pixels, probabilities } of loadExpectations().samples) {
    for (const model of ['digits', 'digits-graph', 'digits-onnx'] as const) {
      const { outputs } = await client.predict(model, { pixels: [pixels] });
      const answer = outputs['probabilities']?.data as Float32Array;
      probabilities.forEach((probability, index) =>
        assert.ok(Math.abs((answer[index] ?? NaN) - probability) < TOLERANCE),
      );
    }
  }
});

test('a model with an unsupported type is not served and reports the fix', async () => {
  const node = await harness.node();
  const double = node.status().models.find(({ model }) => model === 'double');
  assert.equal(double?.state, 'FAILED');
  assert.match(double?.message ?? '', /FP64/);
  assert.match(double?.message ?? '', /cast|ONNX/i);
});

test('an ONNX model with a non-tensor output is not served and reports the fix', async () => {
  const node = await harness.node();
  const sequence = node.status().models.find(({ model }) => model === 'sequence-onnx');
  assert.equal(sequence?.state, 'FAILED');
  assert.match(sequence?.message ?? '', /output 'list' is not a tensor.*tensor outputs only/);
});

test('without the native library WebAssembly serves the supported models and logs it', async () => {
  const node = await harness.node({ engine: 'wasm', prefix: 'wasm' });
  assert.deepEqual([...node.models].sort(), ['digits-graph', 'digits-layers', 'digits-onnx']);
  assert.match(node.status().models.find(({ model }) => model === 'digits')?.message ?? '', /SavedModel/);
  const client = await harness.client({ prefix: 'wasm' });
  assert.ok((await heldBackCorrect(client, 'digits-graph')) >= loadExpectations().heldBackCorrect);
  const backends = node
    .status()
    .models.flatMap(({ state, backend }) => (state === 'AVAILABLE' ? [backend] : []));
  assert.deepEqual(backends.sort(), ['onnxruntime', 'wasm', 'wasm']);
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
