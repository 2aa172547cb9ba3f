import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkGroup } from './groups.js';
import { checkClocks } from './nodes.js';

const READ_AT = 1_000_000;
const skews = (beatAt: number, appendedAt: number): string[] =>
  checkClocks({ topic: 'nodes', beats: [{ node: 'n', beatAt, appendedAt }], readAt: READ_AT }).map(
    ({ level, what }) => `${level}: ${what}`,
  );

test('clocks that agree within a second are fine, as far as beats every two seconds tell', () => {
  for (const appendedAt of [READ_AT, READ_AT - 2_900])
    assert.deepEqual(skews(appendedAt + 900, appendedAt), [
      "ok: the clock of n agrees with the broker's within a second",
      "ok: the clock of this machine agrees with the broker's within a second",
    ]);
});

test('a clock that is ahead or behind is named with by how much', () => {
  assert.match(
    skews(READ_AT + 5_000, READ_AT)[0] ?? '',
    /^warning: the clock of n is 5 s ahead of the broker's/,
  );
  assert.match(
    skews(READ_AT - 60_000, READ_AT)[0] ?? '',
    /^problem: the clock of n is 1 min behind the broker's/,
  );
  assert.match(
    skews(READ_AT + 30_000, READ_AT + 30_000)[1] ?? '',
    /^problem: the clock of this machine is 30 s behind/,
  );
  assert.match(
    skews(READ_AT - 9_000, READ_AT - 9_000)[1] ?? '',
    /^warning: the clock of this machine is 7 s ahead of/,
  );
});

test('without beats, or without the broker’s time in them, nothing is said of clocks', () => {
  for (const beats of [undefined, []])
    assert.deepEqual(
      checkClocks({ topic: 'nodes', beats, readAt: READ_AT }).map(({ level }) => level),
      ['unknown'],
    );
});

test('a group is judged by who reads, and by what waits', () => {
  const partitions = [{ partition: 0, start: 0, end: 5, committed: 2 }];
  const level = (state: string, members: number | undefined, committed = 2): string | undefined =>
    checkGroup({
      facts: { group: 'g', state, members, rights: undefined },
      topic: 't',
      partitions: partitions.map((one) => ({ ...one, committed })),
    })[0]?.level;
  assert.equal(level('Stable', 1), 'ok');
  assert.equal(level('Stable', undefined), 'ok');
  assert.equal(level('Stable', 2), 'warning', 'more nodes than partitions');
  assert.equal(level('PreparingRebalance', 1), 'warning');
  assert.equal(level('Empty', 0), 'problem');
  assert.equal(level('Empty', 0, 5), 'warning', 'nothing waits');
});
