import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { detectFormat } from './formats.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'partitura-formats-'));
});
afterEach(() => rm(folder, { recursive: true }));

const put = (file: string, text: string): Promise<void> => writeFile(join(folder, file), text);

test('a folder with saved_model.pb is a SavedModel', async () => {
  await put('saved_model.pb', '');
  assert.equal(await detectFormat(folder), 'saved_model');
});

test('the format of model.json is read from the file', async () => {
  await put('model.json', '{"format":"graph-model"}');
  assert.equal(await detectFormat(folder), 'graph_model');
  await put('model.json', '{"format":"layers-model"}');
  assert.equal(await detectFormat(folder), 'layers_model');
});

test('the format of a model.json that does not declare it is inferred from its topology', async () => {
  for (const [topology, format] of [
    [{ node: [] }, 'graph_model'],
    [{ model_config: {} }, 'layers_model'],
    [{ class_name: 'Sequential', config: {} }, 'layers_model'],
  ] as const) {
    await put('model.json', JSON.stringify({ modelTopology: topology }));
    assert.equal(await detectFormat(folder), format);
  }
});

test('a folder with model.onnx is an ONNX model', async () => {
  await put('model.onnx', '');
  assert.equal(await detectFormat(folder), 'onnx');
});

test('SavedModel takes precedence over ONNX, and ONNX over TensorFlow.js', async () => {
  await put('model.json', '{"format":"graph-model"}');
  await put('model.onnx', '');
  assert.equal(await detectFormat(folder), 'onnx');
  await put('saved_model.pb', '');
  assert.equal(await detectFormat(folder), 'saved_model');
});

test('a folder without a model is rejected with the expected files', async () => {
  await assert.rejects(detectFormat(folder), {
    code: 'MODEL_FAILED',
    message: /saved_model\.pb.*model\.onnx.*model\.json/,
  });
});

test('a folder that does not exist is rejected likewise', async () => {
  await assert.rejects(detectFormat(join(folder, 'nowhere')), { code: 'MODEL_FAILED' });
});

test('a model.json with an unknown format or none is rejected', async () => {
  await put('model.json', '{"format":"onnx"}');
  await assert.rejects(detectFormat(folder), {
    message:
      /expected "format" to be graph-model or layers-model, or a matching "modelTopology", got "onnx"$/,
  });
  await put('model.json', '{"modelTopology":{}}');
  await assert.rejects(detectFormat(folder), { message: /got neither$/ });
  for (const text of ['null', '{']) {
    await put('model.json', text);
    await assert.rejects(detectFormat(folder), { message: /is not a JSON object$/ });
  }
});
