import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameBytes, readName } from './header-names.js';

test('names are read right, again and again, also those that only differ within', () => {
  const names = ['', 'a', 'abcd', 'axyd', 'é', 'reply-to', 'x'.repeat(300), '__proto__'];
  for (let round = 0; round < 3; round++)
    for (const name of names) {
      const bytes = Buffer.from(`..${name}..`);
      assert.equal(readName(bytes, 2, bytes.length - 4), name);
      assert.deepEqual(nameBytes(name), Buffer.from(name));
    }
});

test('only short names are kept', () => {
  const [short, long] = ['x'.repeat(64), 'x'.repeat(65)];
  assert.equal(nameBytes(short), nameBytes(short));
  assert.notEqual(nameBytes(long), nameBytes(long));
});

test('as many names as a sender likes are read right', () => {
  for (let index = 0; index < 5_000; index++) {
    const bytes = Buffer.from(`name-${index}`);
    assert.equal(readName(bytes, 0, bytes.length), `name-${index}`);
    assert.deepEqual(nameBytes(`name-${index}`), bytes);
  }
});
