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

test('what a record was is read back from its dead letter, whatever it held, in every style of headers', () => {
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

test('letters of Kafka Connect are read, with more headers than ours', () => {
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

test('letters of spring-kafka are read: its numbers are bytes, its first topic the original, its cause the reason', () => {
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

test('numbers that are none are unknown, and no header makes no letter', () => {
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

test('a partition that is gone leaves the record to its key, and each replay counts', () => {
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

test('an error header that was there before stays', () => {
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
  throw new Error('the letter has no origin');
}

test('of a letter that a node wrote a replay has every header that its sender wrote, whatever their names', () => {
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

test('headers go through a dead letter and back in their order, repeated and null as they were', () => {
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

test("letters of spring-kafka's non-blocking retries are read, and go back without what those add", () => {
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
