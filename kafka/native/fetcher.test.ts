import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listOffsetsV7, metadataV11 } from '@platformatic/kafka';
import type { Logger } from '../../core/log.js';
import { NO_OUTAGES } from '../errors/outages.js';
import { KafkaError, type KafkaRecord } from '../port.js';
import { fakeCluster, fakeMetadata } from '../../testing/native-kafka.js';
import type { FetchedPartition } from './protocol/fetch.js';
import { Fetcher } from './fetcher.js';
import { AT } from '../record-batches/record-batch.js';
import { writeBatch } from './protocol/write-batch.js';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function batchAt(offset: number): Buffer {
  const record = { topic: 't', key: null, value: Buffer.from('x'), headers: {} };
  const batch = writeBatch([record], { id: 1n, epoch: 0, transactional: false }, 0, 1);
  batch.writeBigInt64BE(BigInt(offset), AT.baseOffset);
  return batch;
}

function fetched(partition: number, more: Partial<FetchedPartition>): FetchedPartition {
  return { partition, error: undefined, highWatermark: 100_000, aborted: [], batches: undefined, ...more };
}

/** Reads two partitions of one broker; `answer` returns the result of each fetch, by the number of earlier ones. */
async function reading(
  answer: (count: number, unreadable: readonly unknown[]) => FetchedPartition[] | Promise<FetchedPartition[]>,
  metadata: () => unknown = () => fakeMetadata({ t: [1, 1] }),
): Promise<{
  fetcher: Fetcher;
  records: KafkaRecord[];
  logged: string[];
  crashes: KafkaError[];
  unreadable: unknown[];
  failures: Error[];
}> {
  const unreadable: unknown[] = [];
  const failures: Error[] = [];
  const [records, logged, crashes]: [KafkaRecord[], string[], KafkaError[]] = [[], [], []];
  let count = 0;
  let known = false;
  const cluster = fakeCluster(
    {
      answer: (api) => {
        if (api === listOffsetsV7.api) throw new KafkaError('unknown-topic', 'UNKNOWN_TOPIC_OR_PARTITION');
        assert.equal(api, metadataV11.api);
        return known ? metadata() : fakeMetadata({ t: [1, 1] });
      },
      send: async () => {
        await sleep(5);
        return answer(count++, unreadable);
      },
    },
    undefined,
    { ...NO_OUTAGES, failed: (error) => void failures.push(error) },
  );
  const say = (_: unknown, message: string): void => void logged.push(message);
  const log = { warn: say, error: say } as unknown as Logger;
  const fetcher = new Fetcher(
    cluster,
    { topic: 't', from: 'earliest', fetchMaxBytes: 1_000 },
    {
      onRecords: (more) => void records.push(...more),
      onCrash: (error) => void crashes.push(error),
      onUnreadable: (position, reason) => void unreadable.push({ position, reason }),
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
  return { fetcher, records, logged, crashes, unreadable, failures };
}

test('a partition with a persistent error does not slow the others of its broker', async () => {
  const { fetcher, records, failures } = await reading((count) => [
    fetched(0, { error: 'NOT_LEADER_OR_FOLLOWER' }),
    fetched(1, { batches: batchAt(count) }),
  ]);
  await sleep(500);
  fetcher.close();
  assert.ok(records.length > 20, `${records.length} records`);
  assert.ok(failures.length > 0);
});

test('a partition that briefly had no leader is read again as soon as it has one', async () => {
  let lookups = 0;
  const { fetcher, records } = await reading(
    (count) =>
      count === 0
        ? [0, 1].map((partition) => fetched(partition, { error: 'NOT_LEADER_OR_FOLLOWER' }))
        : [fetched(0, { batches: batchAt(0) })],
    () => fakeMetadata({ t: lookups++ < 2 ? [-1, -1] : [1, 1] }),
  );
  for (let waited = 0; records.length === 0 && waited < 10_000; waited += 10) await sleep(10);
  fetcher.close();
  assert.ok(records.length > 0);
  assert.ok(lookups < 20, `${lookups} lookups`);
});

test('resetting a lost position is retried while the topic is unknown', async () => {
  const unknown = { ...(fakeMetadata({}) as object), topics: [{ name: 't', errorCode: 3, partitions: [] }] };
  const { fetcher, crashes, failures } = await reading(
    () => [fetched(0, { error: 'OFFSET_OUT_OF_RANGE' }), fetched(1, { error: 'UNKNOWN_TOPIC_ID' })],
    () => unknown,
  );
  await sleep(200);
  fetcher.close();
  assert.deepEqual(crashes, []);
  assert.ok(failures.length > 0);
});

test('a batch that stays unreadable is skipped and reported, and the next one is read', async () => {
  const damaged = batchAt(0);
  damaged.writeUInt8(damaged.readUInt8(damaged.length - 3) ^ 1, damaged.length - 3);
  damaged.writeInt32BE(4, AT.lastOffsetDelta);
  const { fetcher, records, logged, unreadable } = await reading((_, reported) => [
    fetched(0, { batches: reported.length === 0 ? damaged : batchAt(5) }),
  ]);
  while (records.length === 0) await sleep(10);
  fetcher.close();
  assert.deepEqual(unreadable, [
    {
      position: { topic: 't', partition: 0, offset: 0, lastOffset: 4 },
      reason: 't 0: the batch at offset 0 cannot be read: wrong checksum',
    },
  ]);
  assert.deepEqual([records[0]?.offset, logged.at(-1)], [5, 'records cannot be read; skipping them']);
});

test('a fetch that fails because the fetcher was closed is not logged', async () => {
  const { fetcher, failures } = await reading(async () => {
    await sleep(50);
    throw new KafkaError('unavailable', 'closed');
  });
  await sleep(20);
  fetcher.close();
  await sleep(80);
  assert.deepEqual(failures, []);
});
