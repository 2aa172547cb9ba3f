import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitStringList } from './string-list.js';

test('splits strings of any length', () => {
  const long = Buffer.alloc(300, 'x');
  const data = Buffer.concat([Buffer.from([0xac, 0x02, 0, 1]), long, Buffer.from('y')]);
  assert.deepEqual(splitStringList(data, 3, 'x'), [long, Buffer.alloc(0), Buffer.from('y')]);
});

test('refuses lists that are cut off, too long, or have endless lengths', () => {
  const malformed = { message: "input 'x': expected tensor_content with 2 strings" };
  for (const bytes of [
    [],
    [1],
    [1, 1, 0x61],
    [0, 0, 0x61],
    [0x80, 0x80, 0x80, 0x80, 0x80, 1],
    [0xff, 0xff, 0xff, 0xff, 0x7f, 0],
  ])
    assert.throws(() => splitStringList(Buffer.from(bytes), 2, "input 'x'"), malformed, bytes.join());
});
