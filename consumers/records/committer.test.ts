import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Position } from '../../kafka/port.js';
import { Committer, type CommittedPartition, type CommitterParts } from './committer.js';
import { formatMark, parseMark } from './crash-count.js';
import { PartitionLedger } from './ledger.js';
import { silent } from '../../testing/records.js';

interface TestPartition extends CommittedPartition {
  readonly ledger: PartitionLedger<string, string>;
}

function partitionOf(partition: number): TestPartition {
  const ledger = new PartitionLedger<string, string>(true);
  return { topic: 'requests', partition, ledger, revoked: false, crashes: undefined };
}

function committerOf(partitions: readonly TestPartition[], parts: Partial<CommitterParts>): Committer {
  return new Committer(
    { model: 'm', commitIntervalMs: 500, releaseTimeoutMs: 5_000, commitsWithOutcomes: false },
    {
      consumer: { commit: () => Promise.resolve() },
      readPositions: () => Promise.resolve([]),
      owned: () => partitions,
      log: silent,
      now: () => 0,
      ...parts,
    },
  );
}

function finish({ ledger }: TestPartition, offset: number): void {
  const entry = ledger.open(offset, 'record');
  assert.ok(entry);
  ledger.settle(entry, 'outcome');
  ledger.acknowledge(entry);
}

test('a commit during the release of a partition does not mark it as served again', async () => {
  const commits: (readonly Position[])[] = [];
  let answer: () => void = () => undefined;
  const commit = (positions: readonly Position[]): Promise<void> => {
    commits.push(positions);
    return commits.length === 1 ? Promise.resolve() : new Promise((resolve) => (answer = resolve));
  };
  const partition = partitionOf(0);
  const committer = committerOf([partition], { consumer: { commit } });
  await committer.open(partition, 7, 8);
  finish(partition, 7);

  const released = committer.release([partition]);
  while (commits.length < 2) await new Promise((resolve) => setImmediate(resolve));
  const due = committer.commit();
  answer();
  await released;
  answer();
  await due;

  const last = commits.at(-1)?.[0];
  assert.equal(last?.offset, 8);
  assert.equal(parseMark(last.metadata ?? '').owners, 0);
});

/** Of two partitions the first was left by an owner that died, and the other before that owner marked it. */
function halfMarked(): { marked: TestPartition; unmarked: TestPartition; committer: Committer } {
  const [marked, unmarked] = [partitionOf(0), partitionOf(1)];
  const metadata = formatMark({ owners: 1, until: 9, isolatedUntil: 0 });
  const committer = committerOf([marked, unmarked], {
    readPositions: () =>
      Promise.resolve([
        { partition: 0, offset: 8, metadata },
        { partition: 1, offset: 5, metadata: '' },
      ]),
  });
  return { marked, unmarked, committer };
}

for (const order of ['before', 'after'])
  test(`records of a partition without a mark are suspects, opened ${order} one whose owner died`, async () => {
    const { marked, unmarked, committer } = halfMarked();
    if (order === 'after') await committer.open(marked, 8, 20);
    await committer.open(unmarked, 5, 20);
    if (order === 'before') await committer.open(marked, 8, 20);
    assert.deepEqual([unmarked.crashes?.isSuspect(19), unmarked.crashes?.isSuspect(20)], [true, false]);
    assert.deepEqual([marked.crashes?.isSuspect(8), marked.crashes?.isSuspect(9)], [true, false]);
  });

test('a partition has no suspects once those of another are finished', async () => {
  const { marked, unmarked, committer } = halfMarked();
  await committer.open(marked, 8, 20);
  finish(marked, 8);
  await committer.open(unmarked, 5, 20);
  assert.equal(unmarked.crashes?.isSuspect(5), false);
});

for (const isOwn of [true, false])
  test(`a mark that ${isOwn ? 'this node left because its last commit failed tells of no crash' : 'another node left does'}`, async () => {
    let isAway = false;
    let metadata = '';
    const commit = ([position]: readonly Position[]): Promise<void> => {
      if (isAway) return Promise.reject(new Error('away'));
      metadata = position?.metadata ?? '';
      return Promise.resolve();
    };
    const [before, after] = [partitionOf(0), partitionOf(0)];
    const owned = [before];
    const committer = committerOf(owned, {
      consumer: { commit },
      readPositions: () => Promise.resolve([{ partition: 0, offset: 7, metadata }]),
    });
    await committer.open(before, 7, 8);
    finish(before, 7);
    isAway = true;
    await committer.release([before]);
    isAway = false;
    if (!isOwn) metadata = formatMark({ owners: 2, until: 5_000, isolatedUntil: 0 });
    owned.splice(0, 1, after);
    committer.reassigned();
    await committer.open(after, 7, 8);
    assert.equal(after.crashes?.isSuspect(7), !isOwn);
  });
