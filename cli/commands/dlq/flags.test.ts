import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterOf } from './flags.js';

test('a key is text, or hexadecimal digits as printed by list', () => {
  const keys = (key: string): string[] =>
    filterOf({ key, all: false }).keys?.map((one) => one.toString('hex')) ?? [];
  assert.deepEqual(keys('a'), ['61']);
  assert.deepEqual(keys('0x00ff'), [Buffer.from('0x00ff').toString('hex'), '00ff']);
  assert.deepEqual(keys('0x0'), [Buffer.from('0x0').toString('hex')]);
});

test('contradictory times are refused', () => {
  assert.throws(() => filterOf({ since: 2, until: 2, all: false }), {
    code: 'INVALID_REQUEST',
    message: /--since: expected a time before --until/,
  });
});
