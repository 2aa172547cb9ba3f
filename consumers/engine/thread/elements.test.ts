import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitBytes } from '../../../schemas/tensor.js';
import { joinBytes, ownBuffer } from './elements.js';

test('joined elements are split into the same elements, including empty and binary ones', () => {
  const elements = [Buffer.from([0, 255]), Buffer.alloc(0), Buffer.from('ü')];
  assert.deepEqual(splitBytes(Buffer.from(joinBytes(elements))), elements);
});

test('an array that spans its buffer returns the buffer, a subarray returns a copy', () => {
  const whole = Float32Array.of(1, 2, 3);
  assert.equal(ownBuffer(whole), whole.buffer);
  assert.deepEqual(new Float32Array(ownBuffer(whole.subarray(1))), Float32Array.of(2, 3));
});
