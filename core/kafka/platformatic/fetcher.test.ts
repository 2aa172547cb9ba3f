import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listOffsetsV7, metadataV11 } from '@platformatic/kafka';
import type { Logger } from '../../log.js';
import { KafkaError, type KafkaRecord } from '../port.js';
import { fakeCluster, fakeMetadata } from './fakes.js';
import type { FetchedPartition } from './fetch.js';
import { Fetcher } from './fetcher.js';
import { AT } from './record-batch.js';
import { writeBatch } from './write-batch.js';

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function batchAt(offset: number): Buffer {
  const record = { topic: 't', key: null, value: Buffer.from('x'), headers: {} };
  const batch = writeBatch([record], { id: 1n, epoch: 0, transactional: false }, 0, 1);
  batch.writeBigInt64BE(BigInt(offset), AT.baseOffset);
  return batch;
}

function fetched(partition: number, more: Partial<FetchedPartition>): FetchedPartition {
  return { partition, error: undefined, highWatermark: 100_000, aborted: [], batches: undefined, ...more };
}

/** Reads two partitions of one broker; `answer` says what each fetch brings, by how many came before. */
async function reading(
  answer: (count: number) => FetchedPartition[] | Promise<FetchedPartition[]>,
  metadata: () => unknown = () => fakeMetadata({ t: [1, 1] }),
): Promise<{ fetcher: Fetcher; records: KafkaRecord[]; said: string[]; crashes: KafkaError[] }> {
  const [records, said, crashes]: [KafkaRecord[], string[], KafkaError[]] = [[], [], []];
  let count = 0;
  let known = false;
  const cluster = fakeCluster({
    answer: (api) => {
      if (api === listOffsetsV7.api) throw new KafkaError('unknown-topic', 'UNKNOWN_TOPIC_OR_PARTITION');
      assert.equal(api, metadataV11.api);
      return known ? metadata() : fakeMetadata({ t: [1, 1] });
    },
    send: async () => {
      await later(5);
      return answer(count++);
    },
  });
  const say = (_: unknown, message: string): void => void said.push(message);
  const log = { warn: say, error: say } as unknown as Logger;
  const fetcher = new Fetcher(
    cluster,
    { topic: 't', from: 'earliest', fetchMaxBytes: 1_000 },
    {
      onRecords: (more) => void records.push(...more),
      onCrash: (error) => void crashes.push(error),
      onTopic: () => undefined,
    },
    log,
  );
  const topic = await cluster.refresh('t');
  known = true;
  fetcher.add(
    topic,
    new Map([
      [0, 0],
      [1, 0],
    ]),
  );
  return { fetcher, records, said, crashes };
}

test('a partition whose error lasts does not slow the others of its broker', async () => {
  const { fetcher, records, said } = await reading((count) => [
    fetched(0, { error: 'NOT_LEADER_OR_FOLLOWER' }),
    fetched(1, { batches: batchAt(count) }),
  ]);
  await later(500);
  fetcher.close();
  assert.ok(records.length > 20, `${records.length} records`);
  assert.equal(said.length, 1);
});

test('a position that is gone while the topic is unknown is asked for again', async () => {
  const unknown = { ...(fakeMetadata({}) as object), topics: [{ name: 't', errorCode: 3, partitions: [] }] };
  const { fetcher, crashes, said } = await reading(
    () => [fetched(0, { error: 'OFFSET_OUT_OF_RANGE' }), fetched(1, { error: 'UNKNOWN_TOPIC_ID' })],
    () => unknown,
  );
  await later(200);
  fetcher.close();
  assert.deepEqual(crashes, []);
  assert.ok(said.length > 0);
});

test('nothing is said of a fetch that fails because the fetcher was closed', async () => {
  const { fetcher, said } = await reading(async () => {
    await later(50);
    throw new KafkaError('unavailable', 'closed');
  });
  await later(20);
  fetcher.close();
  await later(80);
  assert.deepEqual(said, []);
});
