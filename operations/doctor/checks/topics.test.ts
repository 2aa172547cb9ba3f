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

const lines = (examined: ExaminedTopic, options: Partial<TopicCheckOptions> = {}): string[] =>
  checkTopic(examined, { ...OPTIONS, ...options }).map(({ level, message: what }) => `${level}: ${what}`);

test('a topic without findings takes one line', () => {
  assert.deepEqual(lines(topic()), ['ok: t: 1 partition, settings ok']);
});

test('unwritable partitions are a problem, lagging or single replicas a warning', () => {
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
      /^problem: .* fewer replicas than min\.insync\.replicas=2/,
    ],
    [partition({ inSync: 2 }), none, /^warning: t: replicas of partitions 0 are behind/],
    [partition({ replicas: 1, inSync: 1 }), none, /^warning: t: a single replica on a cluster of 3 brokers/],
  ];
  for (const [one, settings, expected] of cases) {
    const [first = ''] = lines(topic({ settings }, one));
    assert.match(first, expected);
  }
  assert.match(lines(topic({}, partition({ replicas: 1, inSync: 1 })), { brokers: 1 })[0] ?? '', /^ok/);
});

test('the retention and cleanup policy of a topic must suit its role', () => {
  const kept = (ms: number): ExaminedTopic['settings'] => set(['retention.ms', String(ms)]);
  assert.match(
    lines(topic({ settings: kept(299_000) }))[0] ?? '',
    /^problem: .* deleted after 5 min, .* 30 s/,
  );
  assert.match(
    lines(topic({ settings: kept(300_000) }))[0] ?? '',
    /^warning: .* no longer outage is survived/,
  );
  assert.match(lines(topic({ settings: kept(-1) }))[0] ?? '', /^ok/);
  assert.match(
    lines(topic({ role: 'dead letters', settings: kept(86_400_000) }))[0] ?? '',
    /^warning: .* deleted after 1 d, handled or not/,
  );
  assert.match(
    lines(topic({ role: 'own', settings: set(['cleanup.policy', 'compact,delete']) }))[0] ?? '',
    /^problem: .* cleanup\.policy is compact,delete/,
  );
});

test('record, topic, broker and replica sizes are compared', () => {
  const sized = (bytes: number): ExaminedTopic =>
    topic({ settings: set(['max.message.bytes', String(bytes)]) });
  assert.match(
    lines(sized(1_000_000))[0] ?? '',
    /^problem: topic t takes at most 1000000 bytes, and records may have 1000000$/,
  );
  assert.match(lines(sized(20_000_000))[0] ?? '', /^warning: .* replicas fetch 10000000 at a time/);
  assert.match(
    lines(topic({ settings: set() }), {
      brokerMaxBytes: new Map([
        [1, 16_000_000],
        [2, 500_000],
      ]),
    })[0] ?? '',
    /^problem: topic t takes at most 500000 bytes.*\(the limit of broker 2; the topic sets none\)$/,
  );
});

test('a topic that we are not authorized to describe is unknown, not wrong', () => {
  const hidden = topic({ facts: { topic: 't', partitions: [], rights: new Set() } });
  assert.deepEqual(lines(hidden), ['unknown: not authorized to describe t']);
});

test('unavailable settings are not treated as ok, and partitions are still checked', () => {
  const settings = new KafkaError('not-authorized', 'refused');
  assert.deepEqual(lines(topic({ settings })), ['unknown: t: settings: not available: refused']);
  assert.match(
    lines(topic({ settings }, partition({ hasLeader: false })))[0] ?? '',
    /^problem: t: no leader/,
  );
});
