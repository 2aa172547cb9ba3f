import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { decodeElements } from '../../schemas/tensor.js';
import type { Engine } from './engine.js';
import { createEngine } from './threaded-engine.js';
import { loadFixture, tensor } from '../../testing/engine-models.js';

for (const backend of ['tensorflow', 'wasm'] as const) {
  describe(`graph models on ${backend}`, () => {
    let engine: Engine;
    before(async () => {
      engine = await createEngine({ backend });
    });
    after(() => engine.close());

    test('the signature reports the types that TensorFlow.js computes in', async () => {
      const model = await loadFixture(engine, 'types-graph');
      assert.deepEqual(
        model.signature.inputs.map(({ name, datatype }) => `${name} ${datatype}`),
        ['bool BOOL', 'bytes BYTES', 'fp32 FP32', 'int32 INT32', 'int64 INT32', 'uint8 INT32'],
      );
    });

    test('values of each of these types round-trip unchanged', async () => {
      const model = await loadFixture(engine, 'types-graph');
      const inputs = [
        tensor('bool', 'BOOL', [2, 2], [true, false, false, true]),
        tensor('bytes', 'BYTES', [2, 2], [Buffer.from([0, 255, 128]), Buffer.alloc(0), 'größer', 'x']),
        tensor('fp32', 'FP32', [2, 2], [-0, -Infinity, NaN, 1.5]),
        tensor('int32', 'INT32', [2, 2], [-(2 ** 31), 2 ** 31 - 1, -1, 0]),
        tensor('int64', 'INT32', [2, 2], [1, 2, 3, 4]),
        tensor('uint8', 'INT32', [2, 2], [5, 6, 7, 8]),
      ];
      const sent = inputs.map((input) => ({
        ...input,
        name: `${input.name}_echo`,
        data: input.data.slice(),
      }));
      const { outputs } = await model.run(inputs);
      assert.deepEqual(outputs, sent);
    });

    test('a graph with a data-dependent output shape is served repeatedly', async () => {
      const model = await loadFixture(engine, 'positives-graph');
      for (let time = 0; time < 3; time++) {
        const { outputs } = await model.run([tensor('x', 'FP32', [4], [-1, 2, 0, 3])]);
        assert.deepEqual(outputs[0]?.shape, [2]);
        assert.deepEqual(decodeElements('FP32', Buffer.from(outputs[0].data)), [2, 3]);
      }
    });
  });
}
