import assert from 'node:assert/strict';
import { test } from 'node:test';
import { releaseOf } from './features.js';

test('a release is identified by the highest level of metadata.version that it supports', () => {
  for (const [level, release] of [
    [0, undefined],
    [7, '3.3'],
    [14, '3.6'],
    [25, '4.0'],
    [30, '4.3'],
    [99, '4.4 or later'],
  ] as const)
    assert.equal(releaseOf(level), release);
});
