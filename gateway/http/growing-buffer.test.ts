import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GrowingBuffer } from './growing-buffer.js';

test('bytes that arrive one by one are joined in order, and taking them empties the buffer', () => {
  const buffer = new GrowingBuffer();
  const bytes = Buffer.from(Array.from({ length: 10_000 }, (_, index) => index % 251));
  for (const byte of bytes) buffer.push(Buffer.from([byte]));
  assert.equal(buffer.length, bytes.length);
  assert.deepEqual(buffer.take(), bytes);
  assert.equal(buffer.length, 0);
  assert.deepEqual(buffer.take(), Buffer.alloc(0));
});
