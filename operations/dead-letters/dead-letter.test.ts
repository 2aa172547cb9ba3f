import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PartituraError } from '../../schemas/errors.js';
import {
  DEAD_LETTER_STYLES,
  deadLetterHeaders,
  withDeadLetterHeaders,
} from '../../schemas/headers/headers.js';
import { fromList, type HeaderList } from '../../schemas/headers/header-list.js';
import { readDeadLetter, replayOf } from './dead-letter.js';
import { letterRecord, texts } from '../../testing/dead-letters.js';

const header = fc
  .string({ minLength: 1, maxLength: 20 })
  .filter(
    (name) =>
      !/^(__connect\.errors\.|kafka_dlt-|retry_topic-|inference-error$|partitura-replays$|__proto__$)/.test(
        name,
      ),
  );
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const nullable = fc.option(bytes, { nil: null });
const headers = fc.dictionary(header, fc.oneof(bytes, fc.array(bytes, { minLength: 2, maxLength: 4 })));

test('a record is restored byte for byte from its dead letter in every header style', () => {
  fc.assert(
    fc.property(
      fc.record({
        partition: fc.nat(1_000),
        offset: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
        key: nullable,
        value: nullable,
        headers,
      }),
      fc.constantFrom(...DEAD_LETTER_STYLES),
      fc.constantFrom('DECODE_FAILED' as const, 'INTERNAL' as const),
      (original, style, code) => {
        const record = { ...original, topic: 'orders', timestamp: 5 };
        const error = new PartituraError(code, 'a message');
        const letter = readDeadLetter({
          ...record,
          topic: 'orders-dlt',
          headers: { ...record.headers, ...deadLetterHeaders(record, 'decode', error, style) },
        });
        const { topic, partition, offset } = record;
        assert.deepEqual(letter.origin, { topic, partition, offset });
        assert.deepEqual([letter.reason, letter.message, letter.isMarked], [code, 'a message', true]);
        assert.ok(letter.origin);
        const again = replayOf(letter, letter.origin, partition + 1);
        const { 'partitura-replays': replays, ...rest } = again.headers;
        assert.deepEqual([String(replays), again.topic, again.partition], ['1', topic, partition]);
        assert.deepEqual([again.key, again.value, rest], [record.key, record.value, { ...record.headers }]);
      },
    ),
  );
});

test('dead letters of Kafka Connect are read, including headers that ours lack', () => {
  const letter = readDeadLetter(
    letterRecord(
      texts({
        '__connect.errors.topic': 'orders',
        '__connect.errors.partition': '3',
        '__connect.errors.offset': '123456789012',
        '__connect.errors.connector.name': 'jdbc-sink',
        '__connect.errors.task.id': '0',
        '__connect.errors.stage': 'VALUE_CONVERTER',
        '__connect.errors.class.name': 'io.confluent.connect.avro.AvroConverter',
        '__connect.errors.exception.class.name': 'org.apache.kafka.connect.errors.DataException',
        '__connect.errors.exception.message': 'Failed to deserialize data',
        '__connect.errors.exception.stacktrace': 'at …',
        source: 'shop',
      }),
    ),
  );
  assert.deepEqual(letter.origin, { topic: 'orders', partition: 3, offset: 123_456_789_012 });
  assert.deepEqual(
    [letter.stage, letter.reason, letter.message],
    ['VALUE_CONVERTER', 'org.apache.kafka.connect.errors.DataException', 'Failed to deserialize data'],
  );
  assert.deepEqual(Object.keys(replayOf(letter, letter.origin ?? fail(), 4).headers), [
    'source',
    'partitura-replays',
  ]);
});

test('dead letters of spring-kafka are read: binary numbers, the first topic as origin, the cause as reason', () => {
  const letter = readDeadLetter(
    letterRecord({
      ...texts({
        'kafka_dlt-exception-fqcn': 'org.springframework.kafka.listener.ListenerExecutionFailedException',
        'kafka_dlt-exception-cause-fqcn': 'java.lang.IllegalStateException',
        'kafka_dlt-exception-message': 'no stock',
        'kafka_dlt-original-consumer-group': 'shop',
        'retry_topic-attempts': '4',
      }),
      'kafka_dlt-original-topic': [Buffer.from('orders'), Buffer.from('orders-retry-0')],
      'kafka_dlt-original-partition': [Buffer.from('00000002', 'hex'), Buffer.from('00000000', 'hex')],
      'kafka_dlt-original-offset': Buffer.from('0000010000000000', 'hex'),
      kept: [Buffer.from('a'), Buffer.from('b')],
    }),
  );
  assert.deepEqual(letter.origin, { topic: 'orders', partition: 2, offset: 2 ** 40 });
  assert.deepEqual([letter.reason, letter.message], ['java.lang.IllegalStateException', 'no stock']);
  assert.deepEqual(replayOf(letter, letter.origin ?? fail(), 4).headers, {
    kept: [Buffer.from('a'), Buffer.from('b')],
    'partitura-replays': Buffer.from('1'),
  });
});

test('malformed numbers are unknown, and a record without error headers is not a dead letter', () => {
  const letter = readDeadLetter(
    letterRecord(
      texts({
        '__connect.errors.topic': 'orders',
        '__connect.errors.partition': 'first',
        'partitura-replays': 'x',
      }),
    ),
  );
  assert.deepEqual(letter.origin, { topic: 'orders', partition: undefined, offset: undefined });
  assert.ok(Number.isNaN(letter.replays));
  const none = readDeadLetter(letterRecord(texts({ source: 'shop' })));
  assert.deepEqual([none.isMarked, none.origin, none.reason, none.replays], [false, undefined, undefined, 0]);
});

test('without its old partition a record is partitioned by key, and each replay is counted', () => {
  const letter = readDeadLetter(
    letterRecord(
      texts({
        '__connect.errors.topic': 'orders',
        '__connect.errors.partition': '3',
        'partitura-replays': '2',
      }),
    ),
  );
  const again = replayOf(letter, letter.origin ?? fail(), 3);
  assert.deepEqual([again.partition, String(again.headers['partitura-replays'])], [undefined, '3']);
});

test('an error header that the sender set is kept', () => {
  const letter = readDeadLetter(
    letterRecord(
      texts({
        'kafka_dlt-original-topic': 'replies',
        'kafka_dlt-exception-fqcn': 'a.B',
        'inference-error': 'INTERNAL',
      }),
    ),
  );
  assert.deepEqual(Object.keys(replayOf(letter, letter.origin ?? fail(), 1).headers), [
    'inference-error',
    'partitura-replays',
  ]);
});

function fail(): never {
  throw new Error('the dead letter has no origin');
}

test('a replay of a dead letter that a node wrote keeps every header of the sender, whatever its name', () => {
  const sent = {
    '__connect.errors.topic': Buffer.from('victim'),
    '__connect.errors.own': Buffer.from('kept'),
    'kafka_dlt-exception-message': Buffer.from('kept, too'),
    'inference-error': [Buffer.from('mine'), Buffer.from('MINE')],
    'retry_topic-attempts': Buffer.from('1'),
  };
  for (const style of DEAD_LETTER_STYLES) {
    const source = { topic: 'p.m.requests', partition: 1, offset: 2, timestamp: 3 };
    const error = new PartituraError('DECODE_FAILED', 'no Avro');
    const written = withDeadLetterHeaders(letterRecord(sent, source), 'decode', error, style);
    const { headers: all, headerList } = written;
    const letter = readDeadLetter(letterRecord(all, { headerList, topic: 'p.m.requests-dlt' }));
    const origin = letter.origins.find(({ topic }) => topic === source.topic);
    assert.deepEqual(origin, { topic: 'p.m.requests', partition: 1, offset: 2 }, style);
    const { headers } = replayOf(letter, origin ?? fail(), 4, true);
    assert.deepEqual(headers, { ...sent, 'partitura-replays': Buffer.from('1') }, style);
  }
});

test('header order, duplicates and nulls survive a dead letter and its replay', () => {
  const sent: HeaderList = [
    ['b', Buffer.from('1')],
    ['inference-error', Buffer.from('mine')],
    ['a', null],
    ['__connect.errors.topic', Buffer.from('victim')],
    ['b', Buffer.from('2')],
    ['1', Buffer.from('3')],
  ];
  for (const style of DEAD_LETTER_STYLES) {
    const source = { topic: 'p.m.requests', partition: 1, offset: 2, timestamp: 3 };
    const record = letterRecord(fromList(sent).headers, { ...source, headerList: sent });
    const error = new PartituraError('DECODE_FAILED', 'no Avro');
    const { headers, headerList } = withDeadLetterHeaders(record, 'decode', error, style);
    assert.deepEqual(headerList.slice(0, sent.length), sent, style);
    const letter = readDeadLetter(letterRecord(headers, { headerList, topic: 'p.m.requests-dlt' }));
    const again = replayOf(letter, { ...source }, 4, true);
    assert.deepEqual(again.headerList, [...sent, ['partitura-replays', Buffer.from('1')]], style);
  }
});

test("dead letters of spring-kafka's non-blocking retries are read and replayed without the headers that these add", () => {
  const number = (hex: string): Buffer => Buffer.from(hex, 'hex');
  const sent: HeaderList = [
    ['trace', Buffer.from('a')],
    ['kafka_correlationId', Buffer.from('c')],
    ['trace', Buffer.from('b')],
  ];
  const added: HeaderList = [
    ['kafka_original-topic', Buffer.from('orders')],
    ['kafka_original-partition', number('00000002')],
    ['kafka_original-offset', number('0000000000000007')],
    ['kafka_original-timestamp', number('0000018bcfe56800')],
    ['kafka_original-timestamp-type', Buffer.from('CREATE_TIME')],
    [
      'kafka_exception-fqcn',
      Buffer.from('org.springframework.kafka.listener.ListenerExecutionFailedException'),
    ],
    ['kafka_exception-cause-fqcn', Buffer.from('java.lang.IllegalStateException')],
    ['kafka_exception-message', Buffer.from('no stock')],
    ['kafka_exception-stacktrace', Buffer.from('at …')],
    ['retry_topic-attempts', number('00000004')],
    ['retry_topic-backoff-timestamp', number('0000018bcfe56800')],
    ['retry_topic-original-timestamp', number('0000018bcfe56800')],
  ];
  const { headers, headerList } = fromList([...sent, ...added]);
  const letter = readDeadLetter(letterRecord(headers, { headerList }));
  assert.deepEqual(letter.origin, { topic: 'orders', partition: 2, offset: 7 });
  assert.deepEqual(
    [letter.isMarked, letter.reason, letter.message],
    [true, 'java.lang.IllegalStateException', 'no stock'],
  );
  const again = replayOf(letter, letter.origin ?? fail(), 4);
  assert.deepEqual(again.headerList, [...sent, ['partitura-replays', Buffer.from('1')]]);
});
