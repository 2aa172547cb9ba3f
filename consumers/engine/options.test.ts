import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { completeOptions, coreChoices } from './options.js';

test('by default there is one thread per core, at most four, and the backend is chosen automatically', () => {
  const { threads, backend, runTimeoutMs } = completeOptions({});
  assert.deepEqual([threads, backend, runTimeoutMs], [Math.min(4, availableParallelism()), 'auto', 60_000]);
});

test('an invalid number is rejected with the name of the option', () => {
  for (const threads of [-1, 1.5, NaN]) {
    assert.throws(() => completeOptions({ threads }), {
      code: 'INVALID_REQUEST',
      message: /engine option 'threads'/,
    });
  }
  assert.throws(() => completeOptions({ runTimeoutMs: 0 }), { message: /'runTimeoutMs'/ });
});

test("an ONNX model gets the configured cores, or its thread's share or one core", () => {
  const cores = availableParallelism();
  assert.deepEqual(coreChoices(completeOptions({ intraOpThreads: 3 })), [3]);
  assert.deepEqual(coreChoices(completeOptions({ threads: cores })), [1]);
  assert.deepEqual(coreChoices(completeOptions({ threads: 1 })), cores > 1 ? [cores, 1] : [1]);
});
