import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createEngine } from './index.js';
import type { Engine, EngineTensor, LoadedModel } from './engine.js';
import { fixture, sourceOf } from '../../testing/engine-models.js';

let engine: Engine;
before(async () => {
  engine = await createEngine();
});
after(() => engine.close());

const one = (value: number): EngineTensor => ({
  name: 'x',
  datatype: 'FP32',
  shape: [1, 4],
  data: new Uint8Array(new Float32Array([value, value, value, value]).buffer),
});

const answer = async (model: LoadedModel, value: number): Promise<number[]> => {
  const { outputs } = await model.run([one(value)]);
  return outputs.map(({ data }) => new Float32Array(data.buffer)[0] ?? NaN);
};

for (const name of ['scale', 'scale-onnx']) {
  test(`${name} gives the same answers on the event loop as in its thread, and is unloaded from both`, async () => {
    const model = await engine.load(await sourceOf(fixture(name)));
    const before = await answer(model, 3);
    assert.equal(model.isInline, false);
    await model.moveInline();
    assert.equal(model.isInline, true);
    assert.deepEqual(await answer(model, 3), before);
    await assert.rejects(model.run([]), /input 'x' is missing/);
    assert.deepEqual(await answer(model, 3), before);
    await model.unload();
    await assert.rejects(model.run([one(1)]), /has been unloaded/);
  });
}

test('concurrent runs on the event loop all complete with the right results', async () => {
  const model = await engine.load(await sourceOf(fixture('scale')));
  await model.moveInline();
  const values = Array.from({ length: 50 }, (_, index) => index);
  const concurrent = await Promise.all(values.map((value) => answer(model, value)));
  const sequential = [];
  for (const value of values) sequential.push(await answer(model, value));
  assert.deepEqual(concurrent, sequential);
  await model.unload();
});
