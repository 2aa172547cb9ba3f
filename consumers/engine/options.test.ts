import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { completeOptions, coreChoices } from './options.js';

test('an engine without options has a thread for each core up to four, and takes the backend that is there', () => {
  const { threads, backend, runTimeoutMs } = completeOptions({});
  assert.deepEqual([threads, backend, runTimeoutMs], [Math.min(4, availableParallelism()), 'auto', 60_000]);
});

test('an impossible number is refused with the option named', () => {
  for (const threads of [-1, 1.5, NaN]) {
    assert.throws(() => completeOptions({ threads }), {
      code: 'INVALID_REQUEST',
      message: /engine option 'threads'/,
    });
  }
  assert.throws(() => completeOptions({ runTimeoutMs: 0 }), { message: /'runTimeoutMs'/ });
});

test("an ONNX model may have the cores that are said, else its thread's share of them or one", () => {
  const cores = availableParallelism();
  assert.deepEqual(coreChoices(completeOptions({ intraOpThreads: 3 })), [3]);
  assert.deepEqual(coreChoices(completeOptions({ threads: cores })), [1]);
  assert.deepEqual(coreChoices(completeOptions({ threads: 1 })), cores > 1 ? [cores, 1] : [1]);
});
