import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { describeContract } from '../../testing/engine-contract.js';
import type { Engine, LoadedModel } from './engine.js';
import { createEngine } from './threaded-engine.js';
import {
  DIGITS,
  DIGITS_EXPECTED,
  elementsOf,
  fixture,
  loadFixture,
  sourceOf,
  tensor,
  worstDeviation,
} from '../../testing/engine-models.js';

const scaled = async (model: LoadedModel): Promise<unknown[]> =>
  elementsOf((await model.run([tensor('x', 'FP32', [1, 4], [1, 2, 3, 4])])).outputs[0]);

describeContract('SavedModels', '');

describe('the engine on TensorFlow', () => {
  let engine: Engine;
  before(async () => {
    engine = await createEngine({ backend: 'tensorflow', threads: 2 });
  });
  after(() => engine.close());

  test('values of every data type round-trip bit by bit', async () => {
    const model = await loadFixture(engine, 'types');
    const inputs = [
      tensor('bool', 'BOOL', [2, 2], [true, false, false, true]),
      tensor(
        'bytes',
        'BYTES',
        [2, 2],
        [Buffer.from([0, 255, 128]), Buffer.alloc(0), 'größer', 'x'.repeat(5000)],
      ),
      tensor('fp32', 'FP32', [2, 2], [-0, -Infinity, NaN, 1.401298464324817e-45]),
      tensor('int32', 'INT32', [2, 2], [-(2 ** 31), 2 ** 31 - 1, -1, 0]),
      tensor('int64', 'INT64', [2, 2], [-(2n ** 63n), 2n ** 63n - 1n, -5n, 2n ** 53n + 1n]),
      tensor('uint8', 'UINT8', [2, 2], [0, 255, 128, 1]),
    ];
    const sent = inputs.map((input) => ({ ...input, name: `${input.name}_echo`, data: input.data.slice() }));
    const { outputs } = await model.run(inputs.toReversed());
    assert.deepEqual(outputs, sent);
  });

  test('the signature is read from the model and sorted by name, with unknown dimensions as -1', async () => {
    const model = await loadFixture(engine, 'types');
    assert.deepEqual(
      model.signature.inputs.map(({ name, datatype }) => `${name} ${datatype}`),
      ['bool BOOL', 'bytes BYTES', 'fp32 FP32', 'int32 INT32', 'int64 INT64', 'uint8 UINT8'],
    );
    assert.deepEqual(model.signature.outputs[2], { name: 'fp32_echo', datatype: 'FP32', shape: [-1, 2] });
  });

  test('a SavedModel, a graph model and a layers model match the answers recorded in training', async () => {
    const cases = [
      [DIGITS, DIGITS_EXPECTED],
      [fixture('digits-graph'), DIGITS_EXPECTED],
      [fixture('digits-layers'), `${fixture('digits-layers')}/expected.json`],
    ] as const;
    for (const [directory, expected] of cases) {
      const model = await engine.load(await sourceOf(directory));
      assert.deepEqual(
        model.signature.inputs,
        [{ name: 'pixels', datatype: 'FP32', shape: [-1, 64] }],
        directory,
      );
      assert.deepEqual(
        model.signature.outputs,
        [{ name: 'probabilities', datatype: 'FP32', shape: [-1, 10] }],
        directory,
      );
      assert.ok((await worstDeviation(model, expected)) < 1e-5, directory);
    }
  });

  test('string constants of the model survive repeated runs', async () => {
    const model = await loadFixture(engine, 'labels');
    for (let time = 0; time < 5; time++) {
      const { outputs } = await model.run([tensor('scores', 'FP32', [2, 2], [1, 0, 0, 1])]);
      const names = ['the first of the two classes', 'the second of the two classes'];
      assert.deepEqual(outputs.map(elementsOf), [names, names]);
    }
  });

  test('a model with an FP64 input is rejected with the input, its type and a remedy', async () => {
    await assert.rejects(loadFixture(engine, 'double'), {
      code: 'MODEL_FAILED',
      message:
        /^model 'double' version 1: input 'x' is FP64.*cast it inside the model.*export the model to ONNX/,
    });
  });

  test('a rejected batch fails with a one-sentence reason, and the next one is served', async () => {
    const model = await loadFixture(engine, 'picky');
    await assert.rejects(model.run([tensor('x', 'FP32', [2, 4], [1, 1, 1, 1, 1, -1, 1, 1])]), {
      code: 'MODEL_FAILED',
      retryable: false,
      message: "model 'picky' version 1: assertion failed: [picky takes no negative value.]",
    });
    const { outputs } = await model.run([tensor('x', 'FP32', [1, 4], [0, 1, 4, 9])]);
    assert.deepEqual(elementsOf(outputs[0]), [0, 1, 2, 3]);
  });

  test('a number of strings that does not match the shape is rejected before it reaches the native library', async () => {
    const model = await loadFixture(engine, 'types');
    for (const count of [3, 5]) {
      const inputs = model.signature.inputs.map(({ name, datatype }) =>
        tensor(name, datatype, [2, 2], datatype === 'BYTES' ? ['a', 'b', 'c', 'd'] : [0, 0, 0, 0]),
      );
      const strings = tensor('bytes', 'BYTES', [count], Array<string>(count).fill('text'));
      const mismatched = inputs.map((input) =>
        input.name === 'bytes' ? { ...strings, shape: [2, 2] } : input,
      );
      await assert.rejects(model.run(mismatched), { code: 'INVALID_REQUEST', message: /shape \[2,2\], got/ });
    }
  });

  test('the engine reports its backend and its number of threads', async () => {
    const model = await loadFixture(engine, 'scale', '1');
    assert.equal(model.backend, 'tensorflow');
    assert.deepEqual([engine.threads, model.threads], [2, 2]);
  });
});

test('closing fails pending and later runs', async () => {
  const engine = await createEngine({ backend: 'tensorflow' });
  const model = await loadFixture(engine, 'slow');
  const waiting = Promise.allSettled([1, 2, 3].map(() => scaled(model)));
  await engine.close();
  assert.deepEqual(
    (await waiting).map((outcome) => outcome.status),
    ['rejected', 'rejected', 'rejected'],
  );
  await assert.rejects(scaled(model), { code: 'INTERNAL', message: /the engine is closed/ });
});
