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

/** A cluster of two brokers in which nothing works but what the test says. */
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

test('whatever fails, each of the others is looked at, and nothing of it is ok', async () => {
  const told = await broken({});
  for (const what of [
    'the cluster',
    'what runs at k1:9092',
    'nodes',
    'bindings',
    'the list of topics',
    'topics',
  ])
    assert.ok(
      told.some((line) => line.startsWith('unknown') && line.includes(`: ${what} can't be seen: `)),
      `${what} in ${told.join('\n')}`,
    );
  assert.deepEqual(
    told.filter((line) => line.startsWith('ok')).map((line) => line.replace(/\d+ ms|\bPartitura .*/, '…')),
    ['ok brokers: k1:9092 answers (…)', 'ok versions: …'],
  );
});

test('one broker that can’t be reached hides none of the others', async () => {
  const reach = (address: string): Promise<void> =>
    address === 'k2:9092' ? Promise.reject(new KafkaError('unavailable', 'gone')) : Promise.resolve();
  const brokerSettings = (): Promise<ReadonlyMap<string, string>> => Promise.resolve(new Map());
  const told = await broken({ describeCluster, reach, brokerSettings });
  assert.ok(told.some((line) => /^problem brokers: the cluster names a broker k2:9092/.test(line)));
  assert.ok(told.includes('ok brokers: broker 0: its settings fit'), told.join('\n'));
});

test('where no broker can be used by its own name, the rest is said to be unseen', async () => {
  let asked = 0;
  const reach = (): Promise<void> =>
    asked++ === 0 ? Promise.resolve() : Promise.reject(new KafkaError('unavailable', 'gone'));
  const told = await broken({ describeCluster, reach });
  assert.ok(told.some((line) => /^unknown brokers: topics, groups, .* were not looked at/.test(line)));
});
