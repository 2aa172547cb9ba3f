import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headerBytes } from '../../../schemas/framing/framing.js';
import { fromList, headersInOrder, type HeaderList } from '../../../schemas/headers/header-list.js';
import type { KafkaError, OutgoingRecord } from '../../../kafka/port.js';
import { eventually } from '../eventually.js';
import { plain, type PortUnderTest } from './port-under-test.js';

/** Tests round trips of records and send errors. */
export function testRecords(port: PortUnderTest): void {
  test('key, value and headers, including repeated ones, survive a round trip byte for byte', async () => {
    const topic = await port.createTopic(1);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const headers = {
      one: bytes,
      é: Buffer.from('x'),
      many: [Buffer.from('a'), Buffer.from('b')],
      empty: Buffer.alloc(0),
    };
    await port.producer.send([
      { topic, key: bytes, value: bytes, headers },
      { topic, key: null, value: null, headers: {} },
    ]);
    const reader = await port.consume({ topic });
    await eventually('two records', () => reader.records.length === 2);
    const [first, second] = reader.records;
    assert.ok(first, 'there is a first record');
    assert.ok(first.key?.equals(bytes) && first.value?.equals(bytes));
    assert.deepEqual({ ...first.headers }, headers);
    assert.ok(headerBytes(first.headers, 'one')?.equals(bytes));
    assert.ok(Math.abs(first.timestamp - Date.now()) < 60_000);
    assert.deepEqual([first.offset, second?.offset], [0, 1]);
    assert.deepEqual([second?.key, second?.value], [null, null]);
  });

  test('headers keep their order, duplicates and null values', async () => {
    const topic = await port.createTopic(1);
    const lists: HeaderList[] = [
      [
        ['b', Buffer.from('1')],
        ['a', null],
        ['b', Buffer.from('2')],
        ['a', Buffer.from('3')],
      ],
      [
        ['x', Buffer.from('1')],
        ['7', Buffer.from('2')],
        ['1', Buffer.alloc(0)],
      ],
      [['größe', null]],
      [['plain', Buffer.from('1')]],
    ];
    await port.producer.send(lists.map((list) => ({ topic, key: null, value: null, ...fromList(list) })));
    const reader = await port.consume({ topic });
    await eventually('all records', () => reader.records.length === lists.length);
    assert.deepEqual(reader.records.map(headersInOrder), lists);
    assert.deepEqual({ ...reader.records[0]?.headers }, fromList(lists[0] ?? []).headers);
    const passedOn = reader.records.map(({ key, value, headers, headerList }) => ({
      ...{ topic, key, value, headers, headerList },
    }));
    await port.producer.send(passedOn);
    await eventually('the forwarded records', () => reader.records.length === 2 * lists.length);
    assert.deepEqual(reader.records.slice(lists.length).map(headersInOrder), lists);
  });

  test('a record keeps its timestamp', async () => {
    const topic = await port.createTopic(1);
    const moments = [Date.now() - 30 * 24 * 60 * 60_000, Date.now() - 1_000];
    await port.producer.send(moments.map((timestamp) => ({ ...plain(topic, 'x'), timestamp })));
    const reader = await port.consume({ topic });
    await eventually('two records', () => reader.records.length === 2);
    assert.deepEqual(
      reader.records.map(({ timestamp }) => timestamp),
      moments,
    );
  });

  test('records keep their order across many sends', async () => {
    const topic = await port.createTopic(1);
    const sends = Array.from({ length: 20 }, (_, send) =>
      port.producer.send(Array.from({ length: 10 }, (_, index) => plain(topic, String(send * 10 + index)))),
    );
    await Promise.all(sends);
    const reader = await port.consume({ topic });
    await eventually('all records', () => reader.records.length === 200);
    assert.deepEqual(
      reader.values(),
      Array.from({ length: 200 }, (_, index) => String(index)),
    );
  });

  test('a key maps to the same partition as in the Java client; an explicit partition is kept', async () => {
    const topic = await port.createTopic(8);
    const keyed = (key: string): OutgoingRecord => ({ ...plain(topic, key), key: Buffer.from(key) });
    await port.producer.send([
      keyed('21'),
      keyed('foobar'),
      keyed('21'),
      { ...plain(topic, 'named'), partition: 5 },
    ]);
    const reader = await port.consume({ topic });
    await eventually('four records', () => reader.records.length === 4);
    const partitionOf = (value: string): number[] => [
      ...new Set(
        reader.records
          .filter((record) => record.value?.toString() === value)
          .map(({ partition }) => partition),
      ),
    ];
    // murmur2('21') = -973932308 and murmur2('foobar') = -790332482, from the tests of Kafka's own Utils class; positive, modulo 8.
    assert.deepEqual(partitionOf('21'), [(-973932308 & 0x7fffffff) % 8]);
    assert.deepEqual(partitionOf('foobar'), [(-790332482 & 0x7fffffff) % 8]);
    assert.deepEqual(partitionOf('named'), [5]);
  });

  test('an empty value is not a tombstone, and an empty key is not null', async () => {
    const topic = await port.createTopic(1);
    const empty = Buffer.alloc(0);
    await port.producer.send([
      { topic, key: empty, value: empty, headers: {} },
      { topic, key: null, value: null, headers: { absent: undefined } },
    ]);
    const reader = await port.consume({ topic });
    await eventually('two records', () => reader.records.length === 2);
    assert.deepEqual(
      reader.records.map(({ key, value, headers }) => [key?.length, value?.length, { ...headers }]),
      [
        [0, 0, {}],
        [undefined, undefined, {}],
      ],
    );
  });

  test('records without a key reach all partitions', async () => {
    const topic = await port.createTopic(4);
    await port.producer.send(Array.from({ length: 200 }, (_, index) => plain(topic, String(index))));
    const reached = (await port.admin.offsets(topic)).map(({ end }) => end);
    assert.ok(
      reached.every((count) => count >= 32),
      `records per partition: ${reached.join(', ')}`,
    );
  });

  test('a record that allows compression fits where it would be too large uncompressed', async () => {
    const topic = await port.createTopic(1, { 'max.message.bytes': '10000' });
    const value = 'x'.repeat(50_000);
    await port.producer.send([{ ...plain(topic, value), compress: true }]);
    const reader = await port.consume({ topic });
    await eventually('the record', () => reader.values()[0] === value);
  });

  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'])
    test(`records compressed with ${codec} are read`, async () => {
      const topic = await port.createTopic(1, { 'compression.type': codec });
      const values = Array.from({ length: 50 }, (_, index) => `${index} `.repeat(100));
      await port.producer.send(values.map((value) => plain(topic, value)));
      const reader = await port.consume({ topic });
      await eventually('all records', () => reader.records.length === values.length);
      assert.deepEqual(reader.values(), values);
    });

  test('an oversized record is rejected, and the producer continues', async () => {
    const topic = await port.createTopic(1, { 'max.message.bytes': '10000' });
    await assert.rejects(
      port.producer.send([plain(topic, 'x'.repeat(20_000))]),
      (error: KafkaError) => error.kind === 'too-large',
    );
    await port.producer.send([plain(topic, 'small')]);
  });

  test('a missing topic is reported and not created', async () => {
    await assert.rejects(
      port.producer.send([plain('nowhere-at-all', 'x')]),
      (error: KafkaError) => error.kind === 'unknown-topic',
    );
    assert.equal(await port.admin.partitionCount('nowhere-at-all'), undefined);
    await port.producer.send([plain(await port.createTopic(1), 'fine')]);
  });
}
