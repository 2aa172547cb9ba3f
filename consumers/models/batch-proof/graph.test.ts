import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fixture } from '../../../testing/engine-models.js';
import { obstacleInGraph } from './graph.js';

const REASON = 'dynamic quantization derives its scale from all rows of a batch';
let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'graph-'));
});
after(() => rm(directory, { recursive: true }));

test('a graph with dynamic quantization mixes rows', async () => {
  assert.equal(await obstacleInGraph({ directory: fixture('quantized-onnx'), format: 'onnx' }), REASON);
  assert.equal(await obstacleInGraph({ directory: fixture('types-onnx'), format: 'onnx' }), undefined);
  assert.equal(await obstacleInGraph({ directory: fixture('types'), format: 'saved_model' }), undefined);
});

test('the operator is found anywhere in a large file', async () => {
  const mebibyte = 2 ** 20;
  for (const position of [0, mebibyte - 5, mebibyte, 2 * mebibyte - 1, 3 * mebibyte]) {
    const file = Buffer.alloc(3 * mebibyte + 100);
    file.write('DynamicQuantizeLinear', position);
    await writeFile(join(directory, 'model.onnx'), file);
    assert.equal(await obstacleInGraph({ directory, format: 'onnx' }), REASON, String(position));
  }
  await writeFile(join(directory, 'model.onnx'), Buffer.alloc(3 * mebibyte));
  assert.equal(await obstacleInGraph({ directory, format: 'onnx' }), undefined);
});
