import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { FakeProducer } from '../../testing/kafka.js';
import { Outbox, OUTBOX_DEFAULTS, type OutboxOptions } from './outbox.js';
import { KafkaError, type OutgoingRecord } from '../port.js';

const keyOf = ({ key }: OutgoingRecord): string => String(key);

/** Pushes records identified by their keys and collects the result of each. */
function pushing(options: Partial<OutboxOptions> = {}, now: () => number = () => 0) {
  const producer = new FakeProducer();
  const outbox = new Outbox(producer, { ...OUTBOX_DEFAULTS, ...options }, { now });
  const results: string[] = [];
  const push = (...keys: string[]): void => {
    for (const key of keys) {
      const record = { topic: 't', key: Buffer.from(key), value: Buffer.alloc(8), headers: {} };
      const delivered = (): number => results.push(`${key} delivered`);
      outbox.push(record, { delivered, failed: ({ kind }) => results.push(`${key} ${kind}`) });
    }
  };
  return { producer, outbox, results, push };
}

test('records pushed while a request is in flight are batched into the next one, in order', async () => {
  const { producer, outbox, results, push } = pushing();
  push('a', 'b');
  await Promise.resolve();
  push('c', 'd');
  await outbox.settled();
  assert.deepEqual(
    producer.attempts.map((batch) => batch.map(keyOf)),
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  );
  assert.deepEqual(results, ['a delivered', 'b delivered', 'c delivered', 'd delivered']);
});

test('under load a batch waits for further records, a lone record never does', async () => {
  for (const [before, gatherMs, expected] of [
    [8, 200, [8, 2]],
    [8, 0, [8, 1, 1]],
    [1, 200, [1, 1, 1]],
  ] as const) {
    const { producer, outbox, push } = pushing({ gatherMs });
    push(...Array.from({ length: before }, (_, index) => `${index}`));
    await outbox.settled();
    push('next');
    await setImmediate();
    push('last');
    await outbox.settled();
    assert.deepEqual(
      producer.attempts.map((batch) => batch.length),
      expected,
    );
  }
});

test('a batch is limited in records and bytes, but a single record is always sent', async () => {
  const few = pushing({ maxBatchRecords: 2 });
  few.push('a', 'b', 'c');
  await few.outbox.settled();
  assert.deepEqual(
    few.producer.attempts.map((batch) => batch.length),
    [2, 1],
  );
  const small = pushing({ maxBatchBytes: 20 });
  small.push('a', 'b', 'c', 'a key that is longer than any batch may be');
  await small.outbox.settled();
  assert.deepEqual(
    small.producer.attempts.map((batch) => batch.length),
    [2, 1, 1],
  );
});

test('in a refused batch only the records that the broker refuses fail; all others are delivered in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), async (refused) => {
      const { producer, outbox, results, push } = pushing();
      const keys = refused.map((isRefused, index) => `${isRefused ? 'bad' : 'good'}${index}`);
      producer.refuse = (records) =>
        records.some((record) => keyOf(record).startsWith('bad'))
          ? new KafkaError('too-large', 'too large')
          : undefined;
      push(...keys);
      await outbox.settled();
      assert.deepEqual(
        producer.taken.map(keyOf),
        keys.filter((key) => key.startsWith('good')),
      );
      assert.deepEqual(
        results,
        keys.map((key) => `${key} ${key.startsWith('good') ? 'delivered' : 'too-large'}`),
      );
    }),
  );
});

for (const kind of ['unavailable', 'fenced'] as const) {
  test(`a retriable error (${kind}) is retried with the whole batch`, async () => {
    const { producer, outbox, results, push } = pushing();
    producer.refuse = () => (producer.attempts.length < 2 ? new KafkaError(kind, 'unavailable') : undefined);
    push('a', 'b');
    await outbox.settled();
    assert.deepEqual(
      producer.attempts.map((batch) => batch.map(keyOf)),
      [
        ['a', 'b'],
        ['a', 'b'],
      ],
    );
    assert.deepEqual(results, ['a delivered', 'b delivered']);
  });
}

/** Simulates a broker that throws an exception for some records; each attempt takes this long. */
function exceptionFor(isHit: (key: string) => boolean, tryMs: number) {
  let time = 0;
  const pushed = pushing({ retryLimitMs: Infinity }, () => time);
  pushed.producer.refuse = (records) => {
    time += tryMs;
    return records.some((record) => isHit(keyOf(record)))
      ? new KafkaError('unavailable', 'UNKNOWN_SERVER_ERROR', { mayBeOfRecord: true })
      : undefined;
  };
  return { ...pushed, time: () => time };
}

test('a temporary exception in the broker loses no record', async () => {
  const { outbox, results, push, time } = exceptionFor(() => time() < 60_000, 20_000);
  push('a', 'b');
  await outbox.settled();
  assert.deepEqual(results, ['a delivered', 'b delivered']);
});

test('a record that always causes an exception in the broker is eventually isolated, and the others are delivered', async () => {
  const { outbox, results, push } = exceptionFor((key) => key === 'bad', 30_000);
  push('a', 'b', 'bad', 'c', 'd');
  await outbox.settled();
  push('e');
  await outbox.settled();
  assert.deepEqual(results, [
    'a delivered',
    'b delivered',
    'bad other',
    'c delivered',
    'd delivered',
    'e delivered',
  ]);
});

test('records fail when the broker is unavailable for too long, and later ones get their own attempts', async () => {
  let time = 0;
  const { producer, outbox, results, push } = pushing({ retryLimitMs: 1_000 }, () => time);
  producer.refuse = () => {
    time += 1_000;
    return time <= 1_000 ? new KafkaError('unavailable', 'unavailable') : undefined;
  };
  push('a');
  await outbox.settled();
  push('b');
  await outbox.settled();
  assert.deepEqual(results, ['a unavailable', 'b delivered']);
});

test('closing ends retries and fails queued and later records', async () => {
  const { producer, outbox, results, push } = pushing({ maxBatchRecords: 1 });
  producer.refuse = () => new KafkaError('unavailable', 'unavailable');
  push('a', 'b');
  await Promise.resolve();
  await outbox.close();
  push('c');
  assert.deepEqual(results, ['a unavailable', 'b unavailable', 'c unavailable']);
  assert.equal(producer.attempts.length, 1);
});

test('an error that is not a Kafka error is reported as other', async () => {
  const { producer, outbox, results, push } = pushing();
  producer.send = () => Promise.reject(new TypeError('broken'));
  push('a');
  await outbox.settled();
  assert.deepEqual(results, ['a other']);
});

test('below the limit there is room at once; above it, once enough records have been sent', async () => {
  const { outbox, push } = pushing();
  push('a', 'b', 'c');
  const bytes = 3 * 9;
  assert.equal(outbox.whenBelowLimit(bytes + 1), undefined);
  const room = outbox.whenBelowLimit(bytes);
  assert.ok(room);
  await outbox.settled();
  await room;
  assert.equal(outbox.whenBelowLimit(1), undefined);
});

test('records for a deleted topic fail at once; those for other topics are sent without being split', async () => {
  const producer = new FakeProducer();
  const gone = (topic: string): boolean => topic.startsWith('gone');
  const missingOf = (topics: readonly string[]): Promise<Set<string>> =>
    Promise.resolve(new Set(topics.filter(gone)));
  producer.refuse = (records) =>
    records.some(({ topic }) => gone(topic)) ? new KafkaError('unknown-topic', 'gone') : undefined;
  const outbox = new Outbox(producer, OUTBOX_DEFAULTS, { missingOf });
  const results: string[] = [];
  for (const topic of ['a', 'gone-1', 'b', 'a', 'gone-2', 'b']) {
    const record = { topic, key: null, value: Buffer.alloc(1), headers: {} };
    outbox.push(record, {
      delivered: () => results.push(topic),
      failed: ({ kind }) => results.push(`${topic} ${kind}`),
    });
  }
  await outbox.settled();
  assert.deepEqual(results.sort(), ['a', 'a', 'b', 'b', 'gone-1 unknown-topic', 'gone-2 unknown-topic']);
  assert.deepEqual(
    producer.attempts.map((batch) => batch.length),
    [6, 2, 2],
  );
});

test('a topic that stays unavailable while the cluster answers fails alone and delays no other', async () => {
  const producer = new FakeProducer();
  producer.refuse = (records) =>
    records.some(({ topic }) => topic === 'leaderless')
      ? new KafkaError('unavailable', 'no leader')
      : undefined;
  const missingOf = (topics: readonly string[]): Promise<Set<string>> =>
    Promise.resolve(new Set(topics.filter((topic) => topic === 'leaderless')));
  const outbox = new Outbox(producer, OUTBOX_DEFAULTS, { missingOf });
  const results: string[] = [];
  for (const topic of ['a', 'leaderless', 'b', 'leaderless']) {
    const record = { topic, key: null, value: Buffer.alloc(1), headers: {} };
    outbox.push(record, {
      delivered: () => results.push(topic),
      failed: ({ kind }) => results.push(`${topic} ${kind}`),
    });
  }
  await outbox.settled();
  assert.deepEqual(results, ['leaderless other', 'leaderless other', 'a', 'b']);
});

test('a record that nobody wants any more when its turn comes is dropped, and the others are sent', async () => {
  const producer = new FakeProducer();
  const outbox = new Outbox(producer);
  const results: string[] = [];
  for (const key of ['a', 'dropped', 'b', 'dropped']) {
    const record = { topic: 't', key: Buffer.from(key), value: Buffer.alloc(1), headers: {} };
    outbox.push(record, {
      begins: () => key !== 'dropped',
      delivered: () => results.push(key),
      failed: () => results.push(`${key} failed`),
    });
  }
  await outbox.settled();
  assert.deepEqual(
    producer.attempts.map((batch) => batch.map(keyOf)),
    [['a', 'b']],
  );
  assert.deepEqual(results, ['a', 'b']);
  assert.equal(outbox.whenBelowLimit(1), undefined, 'nothing is held');
});
