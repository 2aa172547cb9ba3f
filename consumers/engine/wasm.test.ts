import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Engine } from './engine.js';
import { createEngine } from './threaded-engine.js';
import { DIGITS, DIGITS_EXPECTED, fixture, sourceOf, worstDeviation } from '../../testing/engine-models.js';

describe('the engine on WebAssembly', () => {
  let engine: Engine;
  before(async () => {
    engine = await createEngine({ backend: 'wasm' });
  });
  after(() => engine.close());

  test('graph and layers models match the answers recorded in training', async () => {
    const cases = [
      [fixture('digits-graph'), DIGITS_EXPECTED],
      [fixture('digits-layers'), `${fixture('digits-layers')}/expected.json`],
    ] as const;
    for (const [directory, expected] of cases) {
      const model = await engine.load(await sourceOf(directory));
      assert.equal(model.backend, 'wasm');
      assert.ok((await worstDeviation(model, expected)) < 1e-5, directory);
      await model.unload();
    }
  });

  test('a SavedModel is rejected with a remedy', async () => {
    await assert.rejects(engine.load(await sourceOf(DIGITS)), {
      code: 'MODEL_FAILED',
      message: /a SavedModel needs the TensorFlow library.*npm run setup.*tensorflowjs_converter/,
    });
  });
});
