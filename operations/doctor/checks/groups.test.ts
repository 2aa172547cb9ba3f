import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkGroup } from './groups.js';

const facts = { group: 'p.digits', state: 'Stable', members: undefined, rights: undefined };

function lines(partitions: number, sharingNodes: number | undefined): string[] {
  const positions = Array.from({ length: partitions }, (_, partition) => ({
    partition,
    start: 0,
    end: 10,
    committed: 10,
  }));
  const group = { group: 'p.digits', topic: 'p.digits.requests', facts, partitions: positions, sharingNodes };
  return checkGroup(group).map(({ level, message }) => `${level}: ${message}`);
}

test('a queue with more partitions than a third of its nodes is divided, not shared', () => {
  const divided = /^warning: p\.digits: 4 nodes divide 2 partitions of p\.digits\.requests/;
  assert.match(lines(2, 4)[0] ?? '', divided);
  for (const [partitions, nodes] of [
    [1, 1],
    [2, 6],
    [4, undefined],
  ] as const)
    assert.deepEqual(lines(partitions, nodes), [
      'ok: p.digits: its nodes, lag 0 records of p.digits.requests',
    ]);
});
