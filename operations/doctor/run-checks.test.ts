import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfig } from '../../core/config/config.js';
import type { KafkaInspector } from '../../kafka/inspector.js';
import { KafkaError, type KafkaAdmin, type KafkaClient } from '../../kafka/port.js';
import { runChecks } from './run-checks.js';

const config = checkConfig({ brokers: 'k1:9092' });

function refuse(message: string): never {
  throw new KafkaError('other', message);
}

/** Runs the checks on a cluster of two brokers in which only the given queries work. */
function broken(works: Partial<KafkaInspector>): Promise<string[]> {
  const fails = (name: string) => () => Promise.reject(new KafkaError('other', `${name} failed`));
  const names = [
    'describeCluster',
    'topicNames',
    'describeTopics',
    'describeSoftware',
    'brokerSettings',
    'topicSettings',
    'describeGroup',
  ];
  const inspector = {
    ...Object.fromEntries(names.map((name) => [name, fails(name)])),
    reach: () => Promise.resolve(),
    close: () => undefined,
    ...works,
  } as unknown as KafkaInspector;
  const admin = { connect: fails('connect'), close: () => Promise.resolve() } as unknown as KafkaAdmin;
  const kafka = { admin: () => refuse('admin failed') } as unknown as KafkaClient;
  return runChecks({ kafka, admin, inspector, config, deadlineMs: 30_000 }).then((findings) =>
    findings.map(({ level, area, message: what }) => `${level} ${area}: ${what}`),
  );
}

const brokers = ['k1:9092', 'k2:9092'].map((address, id) => ({ id, address }));
const describeCluster: KafkaInspector['describeCluster'] = () =>
  Promise.resolve({ brokers, rights: undefined });

test('a failed query hides no other, and none of the failed ones is ok', async () => {
  const lines = await broken({});
  for (const what of [
    'the cluster',
    'the software at k1:9092',
    'nodes',
    'bindings',
    'the list of topics',
    'topics',
  ])
    assert.ok(
      lines.some((line) => line.startsWith('unknown') && line.includes(`: ${what}: not available: `)),
      `${what} in ${lines.join('\n')}`,
    );
  assert.deepEqual(
    lines.filter((line) => line.startsWith('ok')).map((line) => line.replace(/\d+ ms|\bPartitura .*/, '…')),
    ['ok brokers: k1:9092 answers (…)', 'ok versions: …'],
  );
});

test('an unreachable broker hides none of the others', async () => {
  const reach = (address: string): Promise<void> =>
    address === 'k2:9092' ? Promise.reject(new KafkaError('unavailable', 'gone')) : Promise.resolve();
  const brokerSettings = (): Promise<ReadonlyMap<string, string>> => Promise.resolve(new Map());
  const lines = await broken({ describeCluster, reach, brokerSettings });
  assert.ok(lines.some((line) => /^problem brokers: the cluster advertises k2:9092/.test(line)));
  assert.ok(lines.includes('ok brokers: broker 0: settings ok'), lines.join('\n'));
});

test('without a reachable advertised broker the remaining areas are reported as not checked', async () => {
  let asked = 0;
  const reach = (): Promise<void> =>
    asked++ === 0 ? Promise.resolve() : Promise.reject(new KafkaError('unavailable', 'gone'));
  const lines = await broken({ describeCluster, reach });
  assert.ok(lines.some((line) => /^unknown brokers: topics, groups, .* were not checked/.test(line)));
});
