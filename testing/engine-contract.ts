/** Contract between models of every format and the batcher, for any runtime. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Engine, LoadedModel } from '../consumers/engine/engine.js';
import { elementsOf, loadFixture, tensor } from './engine-models.js';
import { createEngine } from '../consumers/engine/threaded-engine.js';

/** @param suffix suffix of this format's fixtures */
export function describeContract(format: string, suffix: string): void {
  describe(`the engine contract for ${format}`, () => {
    let engine: Engine;
    before(async () => {
      engine = await createEngine({ threads: 2 });
    });
    after(() => engine.close());

    test('64-bit integers are computed exactly, including negative ones and those beyond 2^53', async () => {
      const model = await loadFixture(engine, `int64${suffix}`);
      const { outputs } = await model.run([
        tensor('x', 'INT64', [4], [-5n, 2n ** 53n, 2n ** 62n, -(2n ** 63n)]),
      ]);
      assert.deepEqual(elementsOf(outputs[0]), [-4n, 2n ** 53n + 1n, 2n ** 62n + 1n, -(2n ** 63n) + 1n]);
    });

    test('a model with a dynamic width accepts rows of any width', async () => {
      const model = await loadFixture(engine, `sum${suffix}`);
      assert.deepEqual(model.signature.inputs[0]?.shape, [-1, -1]);
      for (const width of [1, 3, 7]) {
        const { outputs } = await model.run([
          tensor('x', 'FP32', [2, width], Array<number>(2 * width).fill(1)),
        ]);
        assert.deepEqual(elementsOf(outputs[0]), [width, width]);
        assert.deepEqual(outputs[0]?.shape, [2]);
      }
    });

    test('an empty batch returns an empty batch', async () => {
      const model = await loadFixture(engine, `scale${suffix}`, '2');
      const { outputs } = await model.run([tensor('x', 'FP32', [0, 4], [])]);
      assert.deepEqual(outputs[0]?.shape, [0, 4]);
      assert.equal(outputs[0].data.length, 0);
    });

    test('a shape that the model rejects fails without affecting the next batch', async () => {
      const model = await loadFixture(engine, `fixed${suffix}`);
      await assert.rejects(model.run([tensor('x', 'FP32', [2, 4], Array<number>(8).fill(0))]), {
        code: 'MODEL_FAILED',
      });
      assert.deepEqual(await scaled(model), [1, 2, 3, 4]);
    });

    test('a missing input is named', async () => {
      const model = await loadFixture(engine, `scale${suffix}`, '1');
      await assert.rejects(model.run([tensor('y', 'FP32', [1, 4], [1, 2, 3, 4])]), {
        code: 'INVALID_REQUEST',
        message: `model 'scale${suffix}' version 1: input 'x' is missing`,
      });
    });

    test('two versions of a model are served side by side', async () => {
      const [one, two] = [
        await loadFixture(engine, `scale${suffix}`, '1'),
        await loadFixture(engine, `scale${suffix}`, '2'),
      ];
      assert.deepEqual(await Promise.all([scaled(one), scaled(two)]), [
        [1, 2, 3, 4],
        [2, 4, 6, 8],
      ]);
    });

    test('unloading lets pending runs finish, refuses later ones and does not affect other models', async () => {
      const [leaving, staying] = [
        await loadFixture(engine, `scale${suffix}`, '1'),
        await loadFixture(engine, `scale${suffix}`, '1'),
      ];
      const underWay = Array.from({ length: 8 }, () => scaled(leaving));
      const unloaded = leaving.unload();
      await assert.rejects(scaled(leaving), { code: 'MODEL_NOT_READY' });
      assert.deepEqual(await Promise.all(underWay), Array(8).fill([1, 2, 3, 4]));
      await unloaded;
      await leaving.unload();
      assert.deepEqual(await scaled(staying), [1, 2, 3, 4]);
    });

    test('concurrent runs on several threads each get their own answer', async () => {
      const model = await loadFixture(engine, `int64${suffix}`);
      const runs = Array.from({ length: 200 }, async (_, index) => {
        const { outputs } = await model.run([tensor('x', 'INT64', [1], [index])]);
        assert.deepEqual(elementsOf(outputs[0]), [BigInt(index + 1)]);
      });
      await Promise.all(runs);
    });

    test('an input that shares its buffer is not transferred', async () => {
      const model = await loadFixture(engine, `scale${suffix}`, '1');
      const data = new Uint8Array(new ArrayBuffer(32), 16);
      await assert.rejects(model.run([{ name: 'x', datatype: 'FP32', shape: [1, 4], data }]), {
        code: 'INTERNAL',
      });
    });
  });
}

async function scaled(model: LoadedModel): Promise<unknown[]> {
  return elementsOf((await model.run([tensor('x', 'FP32', [1, 4], [1, 2, 3, 4])])).outputs[0]);
}
