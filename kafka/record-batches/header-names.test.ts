import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameBytes, readName } from './header-names.js';

test('names are read correctly and repeatedly, even if they differ only in the middle', () => {
  const names = ['', 'a', 'abcd', 'axyd', 'é', 'reply-to', 'x'.repeat(300), '__proto__'];
  for (let round = 0; round < 3; round++)
    for (const name of names) {
      const bytes = Buffer.from(`..${name}..`);
      assert.equal(readName(bytes, 2, bytes.length - 4), name);
      assert.deepEqual(nameBytes(name), Buffer.from(name));
    }
});

test('only short names are cached', () => {
  const [short, long] = ['x'.repeat(64), 'x'.repeat(65)];
  assert.equal(nameBytes(short), nameBytes(short));
  assert.notEqual(nameBytes(long), nameBytes(long));
});

test('any number of distinct names is read correctly', () => {
  for (let index = 0; index < 5_000; index++) {
    const bytes = Buffer.from(`name-${index}`);
    assert.equal(readName(bytes, 0, bytes.length), `name-${index}`);
    assert.deepEqual(nameBytes(`name-${index}`), bytes);
  }
});
