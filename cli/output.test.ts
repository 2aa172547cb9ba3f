import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oneLine, printable, printableJson } from '../core/printable.js';
import { table } from './output.js';

const HOSTILE = 'a\u001b[31mb\u009b2Jc\u202ed\u2066e\u200ef\u061cg\u007f';

test('output never contains control, C1 or bidirectional characters', () => {
  // eslint-disable-next-line no-control-regex
  const commands = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
  for (const text of [printable(HOSTILE), oneLine(HOSTILE), table(['X'], [[HOSTILE]])])
    assert.doesNotMatch(text, commands);
  const json = printableJson(JSON.stringify({ [HOSTILE]: HOSTILE }));
  assert.doesNotMatch(json, commands);
  assert.deepEqual(JSON.parse(json), { [HOSTILE]: HOSTILE });
});

test('a long cell does not widen every row', () => {
  const rows = Array.from({ length: 1_000 }, (_, index) => [index === 0 ? 'x'.repeat(1_000_000) : 'y', 'z']);
  assert.ok(table(['A', 'B'], rows).length < 1_000 * 210);
});
