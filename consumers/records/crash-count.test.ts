import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CrashCount, formatMark, MARK_AHEAD_RECORDS, parseMark } from './crash-count.js';

test('a mark survives a round trip', () => {
  for (const mark of [
    { owners: 1, until: 7, isolatedUntil: 0 },
    { owners: 12, until: 2 ** 52, isolatedUntil: 1795708700156 },
    { owners: 0, until: 0, isolatedUntil: 5 },
  ])
    assert.deepEqual(parseMark(formatMark(mark)), mark);
});

test('other metadata counts as no mark', () => {
  for (const metadata of ['', 'partitura owners=x until=1', 'partitura owners=1', 'of another tool', '\0'])
    assert.deepEqual(parseMark(metadata), { owners: 0, until: 0, isolatedUntil: 0 }, metadata);
});

test('the first owner has no suspects, and its mark covers what it may take on', () => {
  const count = CrashCount.takeOver('', 100);
  assert.equal(count.isSuspect(0), false);
  assert.deepEqual(parseMark(count.serving(5, 9, 3)), {
    owners: 1,
    until: 9 + MARK_AHEAD_RECORDS,
    isolatedUntil: 3,
  });
});

test('after an owner that did not release the partition all that it may have computed is suspect', () => {
  const count = CrashCount.takeOver(formatMark({ owners: 1, until: 50, isolatedUntil: 0 }), 1_000);
  assert.deepEqual([count.isSuspect(49), count.isSuspect(50)], [true, false]);
});

test('records that were not there yet when the last owner crashed are no suspects', () => {
  const count = CrashCount.takeOver(formatMark({ owners: 1, until: 4_000, isolatedUntil: 0 }), 10);
  assert.deepEqual([count.isSuspect(9), count.isSuspect(10)], [true, false]);
});

test('owners are counted until the position has passed the suspects', () => {
  const count = CrashCount.takeOver(formatMark({ owners: 2, until: 50, isolatedUntil: 0 }), 1_000);
  assert.equal(parseMark(count.serving(49, 60, 0)).owners, 3);
  assert.equal(parseMark(count.serving(50, 60, 0)).owners, 1);
});

test('a release writes no mark once the suspects are finished, and keeps the mark before that', () => {
  const count = CrashCount.takeOver(formatMark({ owners: 2, until: 50, isolatedUntil: 0 }), 1_000);
  assert.deepEqual(parseMark(count.released(49, 0)), { owners: 2, until: 50, isolatedUntil: 0 });
  assert.equal(count.released(50, 0), '');
});

test('a new mark is written before accepted records pass the last one', () => {
  const count = CrashCount.takeOver('', 10_000);
  count.serving(0, 0, 0);
  assert.equal(count.needsMark(MARK_AHEAD_RECORDS / 2), false);
  assert.equal(count.needsMark(MARK_AHEAD_RECORDS / 2 + 1), true);
});
