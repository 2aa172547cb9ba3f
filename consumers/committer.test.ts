import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Position } from '../core/kafka/port.js';
import { Committer, type CommittedPartition } from './committer.js';
import { parseMark } from './crash-count.js';
import { PartitionLedger } from './ledger.js';
import { silent } from './test-support.js';

const TOPIC = 'requests';

test('a commit that falls due while a partition is released does not mark it as served again', async () => {
  const commits: (readonly Position[])[] = [];
  let sent: () => void = () => undefined;
  const ledger = new PartitionLedger<string, string>(true);
  const partition: CommittedPartition = {
    topic: TOPIC,
    partition: 0,
    ledger,
    lost: false,
    crashes: undefined,
  };
  const committer = new Committer(
    { model: 'm', commitIntervalMs: 500, releaseTimeoutMs: 5_000, commitsWithOutcomes: false },
    {
      consumer: {
        commit: (positions) => {
          commits.push(positions);
          return commits.length < 2 ? Promise.resolve() : new Promise((resolve) => (sent = resolve));
        },
      },
      readPositions: () => Promise.resolve([]),
      owned: () => [partition],
      log: silent,
      now: () => 0,
    },
  );
  await committer.open(partition, 7, 8);
  const entry = ledger.open(7, 'record');
  assert.ok(entry);
  ledger.settle(entry, 'outcome');
  ledger.acknowledge(entry);

  const released = committer.release([partition]);
  while (commits.length < 2) await new Promise((resolve) => setImmediate(resolve));
  const due = committer.commit();
  sent();
  await released;
  sent();
  await due;

  const last = commits.at(-1)?.[0];
  assert.equal(last?.offset, 8);
  assert.equal(parseMark(last.metadata ?? '').owners, 0);
});
