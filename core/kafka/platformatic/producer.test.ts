import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initProducerIdV4, metadataV11 } from '@platformatic/kafka';
import type { OutgoingRecord } from '../port.js';
import type { Cluster } from './cluster.js';
import { fakeCluster, fakeMetadata } from './fakes.js';
import { PlatformaticProducer } from './producer.js';
import type { ProducedPartition } from './produce.js';

const record = (topic: string): OutgoingRecord => ({
  topic,
  key: null,
  value: Buffer.from('x'),
  headers: {},
});

/** A cluster that counts what it is asked for, and answers produce requests one after the other as told. */
function scripted(
  topics: () => Record<string, readonly number[]>,
  answers: (ProducedPartition[] | Error)[],
  now?: () => number,
): { cluster: Cluster; asked: { identities: number; metadata: number; produced: number } } {
  const asked = { identities: 0, metadata: 0, produced: 0 };
  const answer = (api: unknown, args: readonly unknown[]): unknown => {
    if (api === initProducerIdV4.api) return { producerId: BigInt(++asked.identities), producerEpoch: 0 };
    assert.equal(api, metadataV11.api);
    asked.metadata++;
    const [names] = args as [string[]];
    const all = topics();
    return fakeMetadata(Object.fromEntries(names.map((name) => [name, all[name] ?? []])));
  };
  const send = (): unknown => {
    const next = answers[asked.produced++];
    if (next instanceof Error || !next) throw next ?? new Error('nothing more was expected');
    return next;
  };
  return { cluster: fakeCluster({ answer, send }, now), asked };
}

const produced = (topic: string, error?: string): ProducedPartition => ({
  topic,
  partition: 0,
  error,
  detail: null,
});
const hungUp = Object.assign(new Error('gone'), { code: 'ECONNRESET' });

test('after a refusal that followed an ambiguous try the producer takes a new identity', async () => {
  const { cluster, asked } = scripted(
    () => ({ t: [1] }),
    [hungUp, [produced('t', 'MESSAGE_TOO_LARGE')], [produced('t')], [produced('t')]],
  );
  const producer = new PlatformaticProducer(cluster);
  await assert.rejects(producer.send([record('t')]), { kind: 'too-large' });
  assert.equal(asked.identities, 1);
  await producer.send([record('t')]);
  await producer.send([record('t')]);
  assert.equal(asked.identities, 2);
});

test('what is known of a topic is asked for anew when it is old', async () => {
  let now = 0;
  const answers = [1, 2, 3].map(() => [produced('t')]);
  const { cluster, asked } = scripted(
    () => ({ t: [1] }),
    answers,
    () => now,
  );
  const producer = new PlatformaticProducer(cluster);
  await producer.send([record('t')]);
  now = 4 * 60_000;
  await producer.send([record('t')]);
  assert.equal(asked.metadata, 1);
  now = 6 * 60_000;
  await producer.send([record('t')]);
  assert.equal(asked.metadata, 2);
});
