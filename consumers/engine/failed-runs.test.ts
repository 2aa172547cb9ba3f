import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEngine } from './threaded-engine.js';
import { loadFixture } from '../../testing/engine-models.js';

const ROWS = 65_536;
const BATCH_BYTES = ROWS * 4 * Float32Array.BYTES_PER_ELEMENT;
const RUNS = 300;
const ALLOWED_GROWTH_BYTES = (RUNS * BATCH_BYTES) / 4;

test('a rejected run frees the memory of its batch', async () => {
  const engine = await createEngine({ backend: 'tensorflow' });
  try {
    const picky = await loadFixture(engine, 'picky');
    const rejected = async (): Promise<void> => {
      const data = new Uint8Array(new Float32Array(ROWS * 4).fill(-1).buffer);
      const run = picky.run([{ name: 'x', datatype: 'FP32', shape: [ROWS, 4], data }]);
      await assert.rejects(run, { code: 'MODEL_FAILED' });
    };
    for (let run = 0; run < 50; run++) await rejected();
    const before = process.memoryUsage.rss();
    for (let run = 0; run < RUNS; run++) await rejected();
    const grown = process.memoryUsage.rss() - before;
    assert.ok(grown < ALLOWED_GROWTH_BYTES, `${RUNS} rejected runs leaked ${grown} bytes`);
  } finally {
    await engine.close();
  }
});
