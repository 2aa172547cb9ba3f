import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gather } from './linear-headers.js';

const header = (key: string, value: string | null): { key: string; value: Buffer | null } => ({
  key,
  value: value === null ? null : Buffer.from(value),
});

test('headers are gathered by name, repeated ones in a list, whatever they are called', () => {
  const gathered = gather([
    header('a', '1'),
    header('__proto__', '2'),
    header('a', '3'),
    header('constructor', '4'),
    header('a', null),
  ]);
  assert.deepEqual(Object.entries(gathered).sort(), [
    ['__proto__', Buffer.from('2')],
    ['a', [Buffer.from('1'), Buffer.from('3'), null]],
    ['constructor', Buffer.from('4')],
  ]);
});
