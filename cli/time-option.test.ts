import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeOption, timeJson, formatTime } from './time-option.js';

const NOW = Date.UTC(2026, 0, 31, 12);
const read = timeOption(() => NOW);

test('times are ages, dates or date-times, in UTC unless they name a zone', () => {
  for (const [text, expected] of [
    ['90s', NOW - 90_000],
    ['15m', NOW - 15 * 60_000],
    ['2h', NOW - 2 * 60 * 60_000],
    ['3d', NOW - 3 * 24 * 60 * 60_000],
    ['2026-01-31', Date.UTC(2026, 0, 31)],
    ['2026-01-31T10:00', Date.UTC(2026, 0, 31, 10)],
    ['2026-01-31T10:00:00.5Z', Date.UTC(2026, 0, 31, 10, 0, 0, 500)],
    ['2026-01-31T10:00:00+02:00', Date.UTC(2026, 0, 31, 8)],
  ] as const)
    assert.equal(read(text), expected, text);
});

test('anything else is refused with the expected formats', () => {
  for (const text of [
    '',
    'x',
    '5',
    '2w',
    '-1h',
    '2026-02-30',
    '2026-13-01T00:00:00Z',
    '31.1.2026',
    '1e9d',
    '99999999d',
  ])
    assert.throws(
      () => read(text),
      /Expected an ISO time such as .* or an age such as 90s, 15m, 2h or 3d\./,
      text,
    );
});

test('a missing timestamp prints as no time, and any other number prints', () => {
  assert.deepEqual([formatTime(-1), timeJson(-1)], ['no time', null]);
  assert.deepEqual([formatTime(0), timeJson(0)], ['1970-01-01T00:00:00.000Z', '1970-01-01T00:00:00.000Z']);
  assert.equal(formatTime(1e16), '10000000000000000');
});
