import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError } from '../../../kafka/port.js';
import type { ReportedStatus } from '../../../cluster/node-directory.js';
import { checkGroup } from './groups.js';
import { checkClocks, needsSecondReading, classifyByBroker } from './nodes.js';

const READ_AT = 1_000_000;
const skews = (beatAt: number, appendedAt: number): string[] =>
  checkClocks({ topic: 'nodes', beats: [{ node: 'n', beatAt, appendedAt }], readAt: READ_AT }).map(
    ({ level, message: what }) => `${level}: ${what}`,
  );

test('clocks that agree within a second are ok, given a heartbeat every two seconds', () => {
  for (const appendedAt of [READ_AT, READ_AT - 2_900])
    assert.deepEqual(skews(appendedAt + 900, appendedAt), [
      "ok: the clock of n agrees with the broker's within a second",
      "ok: the clock of this host agrees with the broker's within a second",
    ]);
});

test('a clock that is ahead or behind is reported with its skew', () => {
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
    /^problem: the clock of this host is 30 s behind/,
  );
  assert.match(
    skews(READ_AT - 9_000, READ_AT - 9_000)[1] ?? '',
    /^warning: the clock of this host is 7 s ahead of/,
  );
});

test('without heartbeats or broker timestamps clock skew is unknown', () => {
  for (const beats of [undefined, []])
    assert.deepEqual(
      checkClocks({ topic: 'nodes', beats, readAt: READ_AT }).map(({ level }) => level),
      ['unknown'],
    );
});

test('the level of a group depends on its members and its lag', () => {
  const partitions = [{ partition: 0, start: 0, end: 5, committed: 2 }];
  const level = (state: string, members: number | undefined, committed = 2): string | undefined =>
    checkGroup({
      group: 'g',
      facts: { group: 'g', state, members, rights: undefined },
      topic: 't',
      partitions: partitions.map((one) => ({ ...one, committed })),
    })[0]?.level;
  assert.equal(level('Stable', 1), 'ok');
  assert.equal(level('Stable', undefined), 'ok');
  assert.equal(level('Stable', 2), 'warning', 'more nodes than partitions');
  assert.equal(level('PreparingRebalance', 1), 'warning');
  assert.equal(level('Empty', 0), 'problem');
  assert.equal(level('Empty', 0, 5), 'warning', 'no lag');
});

test('a member that reads another topic is reported and does not count as a node', () => {
  const subscriptions = [
    { clientId: 'partitura-node', host: '10.0.0.1', topics: ['t'] },
    { clientId: 'kafkajs', host: '10.0.0.9', topics: ['orders'] },
    { clientId: 'rebalancing', host: '10.0.0.2', topics: [] },
  ];
  const partitions = [0, 1].map((partition) => ({ partition, start: 0, end: 5, committed: 2 }));
  const facts = { group: 'g', state: 'Stable', members: 3, subscriptions, rights: undefined };
  const findings = checkGroup({ group: 'g', facts, topic: 't', partitions });
  assert.deepEqual(
    findings.map(({ level, message: what }) => `${level}: ${what}`),
    [
      "warning: g: 'kafkajs' at 10.0.0.9 is a member but reads orders, not t",
      'ok: g: 2 nodes, lag 6 records of t',
    ],
  );
});

test('an unavailable part of a group hides no other part, and the fix depends on the failure', () => {
  const refused = new KafkaError('not-authorized', 'refused');
  const unavailable = new KafkaError('unavailable', 'LEADER_NOT_AVAILABLE');
  const facts = { group: 'g', state: 'Empty', members: 0, rights: undefined };
  const lines = (changes: Partial<Parameters<typeof checkGroup>[0]>): string[] =>
    checkGroup({ group: 'g', topic: 't', facts, partitions: [], ...changes }).map(
      ({ level, message: what, fix }) => `${level}: ${what} (${fix})`,
    );
  const [offsets = '', members = ''] = lines({ partitions: unavailable });
  assert.match(offsets, /^unknown: .*LEADER_NOT_AVAILABLE \(start the brokers/);
  assert.match(members, /^warning: g: no node reads t; lag unknown/);
  assert.match(lines({ facts: refused })[0] ?? '', /^unknown: g: not available.*\(allow DESCRIBE on group g/);
  assert.match(
    lines({ facts: { ...facts, state: 'hidden' }, partitions: refused })[0] ?? '',
    /not authorized to describe/,
  );
});

test('a committed offset beyond the end is reported and does not offset the lag of other partitions', () => {
  const [beyond = '', lag = ''] = checkGroup({
    group: 'g',
    topic: 't',
    facts: { group: 'g', state: 'Stable', members: 1, rights: undefined },
    partitions: [
      { partition: 0, start: 0, end: 2, committed: 9 },
      { partition: 1, start: 0, end: 3, committed: 0 },
    ],
  }).map(({ level, message: what }) => `${level}: ${what}`);
  assert.match(beyond, /^problem: g: committed offsets are beyond the end of t \(partitions 0\)/);
  assert.equal(lag, 'ok: g: 1 node, lag 3 records of t');
});

test('liveness depends on the broker clock alone, whatever the local clock says', () => {
  const statuses = [READ_AT, READ_AT - 20_000].map(
    (recordedAt, node) => ({ status: { node: String(node) }, recordedAt }) as unknown as ReportedStatus,
  );
  const alive = (isBeating: boolean): boolean[] =>
    classifyByBroker(statuses, isBeating, READ_AT).map((node) => node.alive);
  assert.deepEqual(alive(true), [true, false]);
  assert.deepEqual(alive(false), [false, false]);
  assert.equal(needsSecondReading(statuses, READ_AT + 2_000), false);
  for (const skew of [-60_000, 60_000])
    assert.ok(needsSecondReading(statuses, READ_AT + skew), 'skew or silence?');
});
