import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initProducerIdV4, metadataV11 } from '@platformatic/kafka';
import type { OutgoingRecord } from '../port.js';
import type { Cluster } from './transport/cluster.js';
import { fakeCluster, fakeMetadata } from '../../testing/native-kafka.js';
import { NativeProducer } from './producer.js';
import type { ProducedPartition } from './protocol/produce.js';

const record = (topic: string): OutgoingRecord => ({
  topic,
  key: null,
  value: Buffer.from('x'),
  headers: {},
});

/** Creates a cluster that counts requests and answers produce requests with the given results, in order. */
function scripted(
  topics: () => Record<string, readonly number[]>,
  answers: (ProducedPartition[] | Error)[],
  now?: () => number,
): { cluster: Cluster; counts: { identities: number; metadata: number; produced: number } } {
  const counts = { identities: 0, metadata: 0, produced: 0 };
  const answer = (api: unknown, args: readonly unknown[]): unknown => {
    if (api === initProducerIdV4.api) return { producerId: BigInt(++counts.identities), producerEpoch: 0 };
    assert.equal(api, metadataV11.api);
    counts.metadata++;
    const [names] = args as [string[]];
    const all = topics();
    return fakeMetadata(Object.fromEntries(names.map((name) => [name, all[name] ?? []])));
  };
  const send = (): unknown => {
    const next = answers[counts.produced++];
    if (next instanceof Error || !next) throw next ?? new Error('unexpected request');
    return next;
  };
  return { cluster: fakeCluster({ answer, send }, now), counts };
}

const produced = (topic: string, error?: string): ProducedPartition => ({
  topic,
  partition: 0,
  error,
  detail: null,
});
const hungUp = Object.assign(new Error('gone'), { code: 'ECONNRESET' });

test('after a refusal that followed an ambiguous attempt the producer requests a new identity', async () => {
  const { cluster, counts } = scripted(
    () => ({ t: [1] }),
    [hungUp, [produced('t', 'MESSAGE_TOO_LARGE')], [produced('t')], [produced('t')]],
  );
  const producer = new NativeProducer(cluster);
  await assert.rejects(producer.send([record('t')]), { kind: 'too-large' });
  assert.equal(counts.identities, 1);
  await producer.send([record('t')]);
  await producer.send([record('t')]);
  assert.equal(counts.identities, 2);
});

test('stale topic metadata is refreshed', async () => {
  let now = 0;
  const answers = [1, 2, 3].map(() => [produced('t')]);
  const { cluster, counts } = scripted(
    () => ({ t: [1] }),
    answers,
    () => now,
  );
  const producer = new NativeProducer(cluster);
  await producer.send([record('t')]);
  now = 4 * 60_000;
  await producer.send([record('t')]);
  assert.equal(counts.metadata, 1);
  now = 6 * 60_000;
  await producer.send([record('t')]);
  assert.equal(counts.metadata, 2);
});

test('records for a leaderless partition are refused after the time limit; batches already written are not resent', async () => {
  let now = 0;
  const { cluster, counts } = scripted(
    () => ({ healthy: [1], stranded: [-1] }),
    [[produced('healthy')]],
    () => (now += 1_000),
  );
  const producer = new NativeProducer(cluster);
  const refusal = { kind: 'other', message: 'stranded 0 has no leader' };
  await assert.rejects(producer.send([record('healthy'), record('stranded')]), refusal);
  assert.ok(now >= 15_000);
  assert.equal(counts.produced, 1);
  const before = counts.metadata;
  await assert.rejects(producer.send([record('stranded')]), refusal);
  assert.ok(counts.metadata - before <= 1, 'metadata is cached');
});

test('records for a partition that gets a leader in time are delivered', async () => {
  let leader = -1;
  const { cluster, counts } = scripted(
    () => ({ healthy: [1], late: [leader] }),
    [[produced('healthy')], [produced('late')]],
  );
  const producer = new NativeProducer(cluster);
  const sent = producer.send([record('healthy'), record('late')]);
  setTimeout(() => (leader = 2), 100);
  await sent;
  assert.equal(counts.produced, 2);
});

test('records without a key avoid partitions that have no leader', async () => {
  const { cluster } = scripted(
    () => ({ t: [1, -1, 1] }),
    Array.from({ length: 6 }, () => [0, 2].map((partition) => ({ ...produced('t'), partition }))),
  );
  const producer = new NativeProducer(cluster);
  for (let send = 0; send < 6; send++) await producer.send([record('t')]);
});

test('a cluster in which no partition has a leader is unavailable', async () => {
  const { cluster } = scripted(() => ({ t: [-1] }), []);
  const producer = new NativeProducer(cluster);
  const sent = producer.send([record('t')]);
  setTimeout(() => void producer.close(), 100);
  await assert.rejects(sent, { kind: 'unavailable', message: /LEADER_NOT_AVAILABLE/ });
});
