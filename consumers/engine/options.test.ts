import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completeOptions } from './options.js';

test('an engine without options has one thread and takes the backend that is there', () => {
  const { threads, backend, runTimeoutMs } = completeOptions({});
  assert.deepEqual([threads, backend, runTimeoutMs], [1, 'auto', 60_000]);
});

test('an impossible number is refused with the option named', () => {
  for (const threads of [0, -1, 1.5, NaN]) {
    assert.throws(() => completeOptions({ threads }), {
      code: 'INVALID_REQUEST',
      message: /engine option 'threads'/,
    });
  }
  assert.throws(() => completeOptions({ runTimeoutMs: 0 }), { message: /'runTimeoutMs'/ });
});
