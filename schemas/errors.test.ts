import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ERROR_CODES, PartituraError, isErrorCode, type ErrorCode } from './errors.js';

// Compiled tests run from dist/, which mirrors the sources.
const document = readFileSync(join(import.meta.dirname, '../../docs/ERRORS.md'), 'utf8');

test('docs/ERRORS.md documents exactly the existing codes and whether each is retryable', () => {
  const rows = [...document.matchAll(/^\| `([A-Z_]+)` \|.*?\| (yes|no) \|/gm)].map(([, code, retryable]) => [
    code,
    retryable === 'yes',
  ]);
  const expected = Object.entries(ERROR_CODES).map(([code, { retryable }]) => [code, retryable]);
  assert.deepEqual(rows, expected);
});

test('an error is retryable according to its code, unless overridden', () => {
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    assert.equal(new PartituraError(code, '').retryable, ERROR_CODES[code].retryable);
  }
  assert.equal(new PartituraError('MODEL_FAILED', '', { retryable: true }).retryable, true);
});

test('any thrown value is classified, and classified errors are unchanged', () => {
  const known = new PartituraError('OVERLOADED', 'full');
  assert.equal(PartituraError.from(known, 'INTERNAL'), known);
  const cause = new RangeError('out of range');
  const error = PartituraError.from(cause, 'DECODE_FAILED');
  assert.deepEqual([error.code, error.message, error.cause], ['DECODE_FAILED', 'out of range', cause]);
  assert.deepEqual(
    [PartituraError.from('text').code, PartituraError.from('text').message],
    ['INTERNAL', 'text'],
  );
});

test('only listed codes are accepted', () => {
  assert.ok(isErrorCode('INTERNAL'));
  for (const name of ['internal', 'toString', '__proto__', '']) assert.ok(!isErrorCode(name), name);
});
