import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PartitionFacts } from '../../../kafka/inspector.js';
import { KafkaError } from '../../../kafka/port.js';
import { checkTopic, type ExaminedTopic, type TopicCheckOptions } from './topics.js';

const OPTIONS: TopicCheckOptions = {
  brokers: 3,
  brokerMaxBytes: new Map([[1, 2_000_000]]),
  replicaFetchBytes: 10_000_000,
  deadlineMs: 30_000,
  maxRecordBytes: 1_000_000,
};
const set = (...entries: [string, string][]): ExaminedTopic['settings'] => ({
  values: new Map(entries),
  own: new Set(entries.map(([name]) => name)),
});
const WEEK = String(7 * 86_400_000);

const partition = (changes: Partial<PartitionFacts> = {}): PartitionFacts => ({
  partition: 0,
  hasLeader: true,
  replicas: 3,
  inSync: 3,
  ...changes,
});

function topic(changes: Partial<ExaminedTopic> = {}, ...partitions: PartitionFacts[]): ExaminedTopic {
  return {
    topic: 't',
    role: 'requests',
    facts: { topic: 't', partitions: partitions.length > 0 ? partitions : [partition()], rights: undefined },
    settings: set(['cleanup.policy', 'delete'], ['retention.ms', WEEK], ['retention.bytes', '-1']),
    ...changes,
  };
}

const told = (examined: ExaminedTopic, options: Partial<TopicCheckOptions> = {}): string[] =>
  checkTopic(examined, { ...OPTIONS, ...options }).map(({ level, message: what }) => `${level}: ${what}`);

test('what fits is told in one line', () => {
  assert.deepEqual(told(topic()), ['ok: t: 1 partition, its settings fit']);
});

test('partitions that nobody can write to are a problem, copies that are behind or alone a warning', () => {
  const none = set();
  const cases: [PartitionFacts, ExaminedTopic['settings'], RegExp][] = [
    [partition({ hasLeader: false }), none, /^problem: t: no leader for partitions 0/],
    [
      partition({ inSync: 1 }),
      set(['min.insync.replicas', '2']),
      /^problem: .* fewer replicas in sync than min\.insync\.replicas=2/,
    ],
    [
      partition({ replicas: 1, inSync: 1 }),
      set(['min.insync.replicas', '2']),
      /^problem: .* fewer copies than min\.insync\.replicas=2/,
    ],
    [partition({ inSync: 2 }), none, /^warning: t: replicas of partitions 0 are behind/],
    [partition({ replicas: 1, inSync: 1 }), none, /^warning: t: one copy only, on a cluster of 3 brokers/],
  ];
  for (const [one, settings, expected] of cases) {
    const [first = ''] = told(topic({ settings }, one));
    assert.match(first, expected);
  }
  assert.match(told(topic({}, partition({ replicas: 1, inSync: 1 })), { brokers: 1 })[0] ?? '', /^ok/);
});

test('a topic must keep what its purpose needs', () => {
  const kept = (ms: number): ExaminedTopic['settings'] => set(['retention.ms', String(ms)]);
  assert.match(
    told(topic({ settings: kept(299_000) }))[0] ?? '',
    /^problem: .* deleted after 5 min, .* 30 s/,
  );
  assert.match(
    told(topic({ settings: kept(300_000) }))[0] ?? '',
    /^warning: .* no node may be away for longer/,
  );
  assert.match(told(topic({ settings: kept(-1) }))[0] ?? '', /^ok/);
  assert.match(
    told(topic({ role: 'dead letters', settings: kept(86_400_000) }))[0] ?? '',
    /^warning: .* deleted after 1 d, looked at or not/,
  );
  assert.match(
    told(topic({ role: 'own', settings: set(['cleanup.policy', 'compact,delete']) }))[0] ?? '',
    /^problem: .* cleanup\.policy is compact,delete/,
  );
});

test('sizes are held against each other: record, topic, broker, replica', () => {
  const sized = (bytes: number): ExaminedTopic =>
    topic({ settings: set(['max.message.bytes', String(bytes)]) });
  assert.match(
    told(sized(1_000_000))[0] ?? '',
    /^problem: topic t takes at most 1000000 bytes, and records may have 1000000$/,
  );
  assert.match(told(sized(20_000_000))[0] ?? '', /^warning: .* replicas fetch 10000000 at a time/);
  assert.match(
    told(topic({ settings: set() }), {
      brokerMaxBytes: new Map([
        [1, 16_000_000],
        [2, 500_000],
      ]),
    })[0] ?? '',
    /^problem: topic t takes at most 500000 bytes.* is the one of broker 2$/,
  );
});

test('what may not be described is not taken for wrong', () => {
  const hidden = topic({ facts: { topic: 't', partitions: [], rights: new Set() } });
  assert.deepEqual(told(hidden), ['unknown: t may not be described by us']);
});

test('settings that can’t be seen are not taken for good, and partitions are looked at all the same', () => {
  const settings = new KafkaError('not-authorized', 'refused');
  assert.deepEqual(told(topic({ settings })), ["unknown: t: its settings can't be seen: refused"]);
  assert.match(told(topic({ settings }, partition({ hasLeader: false })))[0] ?? '', /^problem: t: no leader/);
});
