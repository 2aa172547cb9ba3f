import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import type { KafkaError, KafkaRecord } from '../../../kafka/port.js';
import { readTopic } from '../../../kafka/reading/read-topic.js';
import { scanRanges, topicRanges, type ScanOptions } from '../../../kafka/reading/scan-topic.js';
import { plain, type PortUnderTest } from './port-under-test.js';

const LIMITS = { limitMs: 10_000, fetchMaxBytes: 1_000_000 };
const MINUTE_MS = 60_000;

/** Tests scans of a topic up to its current end. */
export function testScanning(port: PortUnderTest): void {
  const values = (records: readonly KafkaRecord[]): string[] =>
    records.map(({ value }) => value?.toString() ?? '');

  const sendNumbers = (topic: string, count: number): Promise<void> =>
    port.producer.send(Array.from({ length: count }, (_, index) => plain(topic, String(index))));

  const scan = async (topic: string, options: Partial<ScanOptions>, since?: number): Promise<string[]> => {
    const seen: string[] = [];
    const ranges = (await topicRanges(port.admin, topic, since)) ?? [];
    await scanRanges(port.kafka, topic, ranges, {
      ...LIMITS,
      ...options,
      onRecords: (records) => {
        seen.push(...values(records));
        return options.onRecords?.(records);
      },
    });
    return seen;
  };

  test('offsets are found by timestamp, and the end offset if no record is newer', async () => {
    const topic = await port.createTopic(2);
    const now = Date.now();
    const at = (partition: number, minutesAgo: number): ReturnType<typeof plain> & { timestamp: number } => ({
      ...plain(topic, 'x'),
      partition,
      timestamp: now - minutesAgo * MINUTE_MS,
    });
    await port.producer.send([at(0, 3), at(0, 2), at(0, 1), at(1, 3)]);
    const found = await port.admin.offsetsAt(topic, now - 2 * MINUTE_MS);
    assert.deepEqual(
      found.sort((a, b) => a.partition - b.partition),
      [
        { partition: 0, offset: 1 },
        { partition: 1, offset: 1 },
      ],
    );
  });

  test('records before an offset are deleted, others are kept, and an offset beyond the end is refused', async () => {
    const topic = await port.createTopic(2);
    await port.producer.send([0, 1, 2].map((value) => ({ ...plain(topic, String(value)), partition: 1 })));
    await port.admin.deleteRecords(topic, [{ partition: 1, offset: 2 }]);
    await port.admin.deleteRecords(topic, [{ partition: 1, offset: 2 }]);
    assert.deepEqual(values(await readTopic(port.kafka, topic, LIMITS)), ['2']);
    await assert.rejects(port.admin.deleteRecords(topic, [{ partition: 1, offset: 99 }]), {
      name: 'KafkaError',
    });
    await assert.rejects(
      port.admin.deleteRecords('nowhere-at-all', [{ partition: 0, offset: 1 }]),
      (error: KafkaError) => error.kind === 'unknown-topic',
    );
  });

  test('a fixed assignment starts at given offsets, or at the log start offset if those are deleted', async () => {
    const topic = await port.createTopic(1);
    await sendNumbers(topic, 6);
    await port.admin.deleteRecords(topic, [{ partition: 0, offset: 2 }]);
    for (const [offset, first] of [
      [4, '4'],
      [0, '2'],
    ] as const) {
      const reader = await port.consume({ topic, partitions: [0], offsets: new Map([[0, offset]]) });
      while (!reader.values().includes('5')) await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(reader.values()[0], first);
    }
  });

  test('a topic is read to its end if that is a transaction marker', async () => {
    const topic = await port.createTopic(1);
    const transactions = await port.transactional(`tx-${randomUUID()}`);
    await transactions.sendWithOffsets([plain(topic, 'a'), plain(topic, 'b')]);
    assert.deepEqual(values(await readTopic(port.kafka, topic, LIMITS)), ['a', 'b']);
  });

  test('the end offset includes an open transaction, and a scan waits for its completion', async () => {
    const topic = await port.createTopic(1);
    const rawClient = new kafkajs.Kafka({
      brokers: [port.broker.bootstrap],
      logLevel: kafkajs.logLevel.NOTHING,
    }).producer({ transactionalId: `tx-${randomUUID()}`, idempotent: true, maxInFlightRequests: 1 });
    await rawClient.connect();
    try {
      const transaction = await rawClient.transaction();
      await transaction.send({ topic, messages: [{ value: 'a' }] });
      assert.deepEqual(await port.admin.offsets(topic), [{ partition: 0, start: 0, end: 1 }]);
      const reading = readTopic(port.kafka, topic, LIMITS);
      await transaction.commit();
      assert.deepEqual(values(await reading), ['a']);
    } finally {
      await rawClient.disconnect();
    }
  });

  test('a topic is read to its end if all remaining or all last records were aborted', async () => {
    const [topic, small] = [
      await port.createTopic(1),
      await port.createTopic(1, { 'max.message.bytes': '10000' }),
    ];
    const transactions = await port.transactional(`tx-${randomUUID()}`);
    const giveUp = (): Promise<void> =>
      assert.rejects(
        transactions.sendWithOffsets([plain(topic, 'unseen'), plain(small, 'x'.repeat(20_000))]),
      );
    await giveUp();
    assert.deepEqual(values(await readTopic(port.kafka, topic, LIMITS)), []);
    await transactions.sendWithOffsets([plain(topic, 'seen')]);
    await giveUp();
    assert.deepEqual(values(await readTopic(port.kafka, topic, LIMITS)), ['seen']);
  });

  test('a scan by timestamp delivers the records that existed at its start, and waits for the handler', async () => {
    const topic = await port.createTopic(1);
    const timestamp = Date.now() - 10 * MINUTE_MS;
    await port.producer.send([{ ...plain(topic, 'old'), timestamp }, plain(topic, 'new')]);
    let writes = 0;
    let taking = 0;
    const seen = await scan(
      topic,
      {
        limitMs: 1_500,
        onRecords: async () => {
          assert.equal(++taking, 1);
          if (writes++ === 0) await port.producer.send([plain(topic, 'late')]);
          // Longer than the limit, which applies only to missing records.
          await new Promise((resolve) => setTimeout(resolve, 2_000));
          taking--;
        },
      },
      Date.now() - MINUTE_MS,
    );
    assert.deepEqual(seen, ['new']);
  });

  test('a scan holds one fetch at a time, stops on abort, and fails with the error of the handler', async () => {
    const topic = await port.createTopic(1);
    for (let sent = 0; sent < 20; sent++) await port.producer.send([plain(topic, 'x'.repeat(10_000))]);
    const stop = new AbortController();
    const few = await scan(topic, {
      fetchMaxBytes: 30_000,
      signal: stop.signal,
      onRecords: () => stop.abort(),
    });
    assert.ok(few.length < 20, `${few.length} records`);
    assert.deepEqual(await scan(topic, { signal: stop.signal }), []);
    const failure = new Error('the handler failed');
    await assert.rejects(scan(topic, { onRecords: () => Promise.reject(failure) }), failure);
    assert.equal((await scan(topic, { fetchMaxBytes: 30_000 })).length, 20);
  });

  test('empty and missing topics are scanned immediately', async () => {
    const topic = await port.createTopic(2);
    assert.deepEqual(await topicRanges(port.admin, topic), []);
    assert.equal(await topicRanges(port.admin, 'nowhere-at-all'), undefined);
    assert.deepEqual(await readTopic(port.kafka, 'nowhere-at-all', LIMITS), []);
  });

  test('a scan without progress fails with its position, within its limit', async () => {
    const topic = await port.createTopic(1);
    await sendNumbers(topic, 2);
    const seen: string[] = [];
    await assert.rejects(
      scanRanges(port.kafka, topic, [{ partition: 0, start: 0, end: 3 }], {
        ...LIMITS,
        limitMs: 3_000,
        onRecords: (records) => void seen.push(...values(records)),
      }),
      (error: KafkaError) => error.kind === 'unavailable' && error.message.includes('partition 0 at 2 of 3'),
    );
    assert.deepEqual(seen, ['0', '1']);
  });
}
