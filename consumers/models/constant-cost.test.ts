import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DIGITS, DIGITS_ONNX, fixture, sourceOf } from '../../testing/engine-models.js';
import type { ModelSignature } from '../engine/engine.js';
import { hasConstantCost } from './constant-cost.js';

const rows = (...rest: number[]): ModelSignature => {
  const tensor = { name: 'x', datatype: 'FP32' as const, shape: [-1, ...rest] };
  return { inputs: [tensor], outputs: [tensor] };
};

test('models with fixed rows and without loops have a constant cost in every format', async () => {
  for (const directory of [DIGITS, DIGITS_ONNX])
    assert.equal(await hasConstantCost(await sourceOf(directory), rows(64), true), true, directory);
});

test('a model with a loop has none, because the iterations depend on the data', async () => {
  for (const model of ['endless-graph', 'endless-onnx'])
    assert.equal(await hasConstantCost(await sourceOf(fixture(model)), rows(), true), false, model);
});

test('a model with rows of any width or with strings has none', async () => {
  const source = await sourceOf(DIGITS);
  assert.equal(await hasConstantCost(source, rows(-1), true), false);
  const text: ModelSignature = { inputs: [{ name: 't', datatype: 'BYTES', shape: [-1] }], outputs: [] };
  assert.equal(await hasConstantCost(source, text, true), false);
});

test('a model without batching has a constant cost only if its number of rows is fixed', async () => {
  const source = await sourceOf(DIGITS);
  assert.equal(await hasConstantCost(source, rows(64), false), false);
  const fixed = { name: 'x', datatype: 'FP32' as const, shape: [1, 64] };
  assert.equal(await hasConstantCost(source, { inputs: [fixed], outputs: [fixed] }, false), true);
  const undeclared = { ...fixed, shape: [] };
  assert.equal(await hasConstantCost(source, { inputs: [undeclared], outputs: [fixed] }, false), false);
});
