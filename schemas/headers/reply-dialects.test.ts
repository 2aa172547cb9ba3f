import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordHeaders } from '../framing/framing.js';
import { correlationOf, detectDialect, parsePartition, plainDialect, replyTo } from './reply-dialects.js';

const ERROR = { code: 'INTERNAL', message: 'it broke' };

test('a partition is decimal text, or four bytes big-endian, or none', () => {
  const cases: [Buffer | undefined, number | undefined][] = [
    [undefined, undefined],
    [Buffer.from('0'), 0],
    [Buffer.from('17'), 17],
    [Buffer.from('0012'), 12],
    [Buffer.from([0, 0, 0, 7]), 7],
    [Buffer.from([0xff, 0xff, 0xff, 0xff]), -1],
    [Buffer.from([0x31, 0x32, 0x33, 0x20]), 0x31323320],
    [Buffer.alloc(0), undefined],
    [Buffer.from('-1'), NaN],
    [Buffer.from(' 1'), NaN],
    [Buffer.from([0, 0, 7]), NaN],
    [Buffer.from('1.5'), NaN],
  ];
  for (const [bytes, expected] of cases)
    assert.equal(parsePartition(bytes), expected, bytes?.toString('hex'));
});

test('a reply address in the plain dialect survives a round trip', () => {
  const headers = replyTo('my.replies', 3, 'c-1');
  const dialect = detectDialect(headers);
  assert.equal(dialect.name, 'plain');
  assert.deepEqual(dialect.read(headers), {
    topic: 'my.replies',
    partition: 3,
    correlation: Buffer.from('c-1'),
  });
  assert.equal(correlationOf(dialect.write(dialect.read(headers), null)), 'c-1');
});

test('a request without headers has no reply address and gets no correlation id', () => {
  const address = plainDialect.read({});
  assert.deepEqual(address, { topic: undefined, partition: undefined, correlation: undefined });
  assert.deepEqual(plainDialect.write(address, null), {});
});

test('the correlation id is echoed byte for byte, and an error is marked by its code', () => {
  const correlation = Buffer.from('00ff80c3', 'hex');
  const headers = plainDialect.write(plainDialect.read({ 'correlation-id': correlation }), ERROR);
  assert.deepEqual(headers, { 'correlation-id': correlation, 'inference-error': Buffer.from('INTERNAL') });
});

/** Requests as sent by clients of each ecosystem; the replies are read by the same clients. */
const RAW_CORRELATION = Buffer.from('00ff80c30a000102030405060708090a', 'hex');
const FIVE = Buffer.from([0, 0, 0, 5]);
const dialects: readonly [
  name: string,
  request: RecordHeaders,
  partition: number | undefined,
  reply: RecordHeaders,
  errorReply: RecordHeaders,
][] = [
  [
    'spring',
    { kafka_correlationId: RAW_CORRELATION, kafka_replyTopic: Buffer.from('r'), kafka_replyPartition: FIVE },
    5,
    { kafka_correlationId: RAW_CORRELATION },
    { kafka_correlationId: RAW_CORRELATION, 'inference-error': Buffer.from('INTERNAL') },
  ],
  [
    'spring',
    { kafka_correlationId: RAW_CORRELATION, kafka_replyTopic: Buffer.from('r') },
    undefined,
    { kafka_correlationId: RAW_CORRELATION },
    { kafka_correlationId: RAW_CORRELATION, 'inference-error': Buffer.from('INTERNAL') },
  ],
  [
    'nest',
    {
      kafka_correlationId: Buffer.from('a1b2c3'),
      kafka_replyTopic: Buffer.from('r'),
      kafka_replyPartition: Buffer.from('5'),
    },
    5,
    { kafka_correlationId: Buffer.from('a1b2c3'), 'kafka_nest-is-disposed': Buffer.from([0]) },
    {
      kafka_correlationId: Buffer.from('a1b2c3'),
      'kafka_nest-is-disposed': Buffer.from([0]),
      'kafka_nest-err': Buffer.from('{"status":"error","code":"INTERNAL","message":"it broke"}'),
      'inference-error': Buffer.from('INTERNAL'),
    },
  ],
  [
    'smallrye',
    { REPLY_CORRELATION_ID: Buffer.from('uuid'), REPLY_TOPIC: Buffer.from('r'), REPLY_PARTITION: FIVE },
    5,
    { REPLY_CORRELATION_ID: Buffer.from('uuid') },
    { REPLY_CORRELATION_ID: Buffer.from('uuid'), 'inference-error': Buffer.from('INTERNAL') },
  ],
];

for (const [name, request, partition, reply, errorReply] of dialects) {
  const where = partition === undefined ? 'no partition' : `partition ${partition}`;
  test(`a request in the ${name} dialect (${where}) is answered in it, with its correlation id verbatim`, () => {
    const dialect = detectDialect(request);
    assert.equal(dialect.name, name);
    const address = dialect.read(request);
    assert.deepEqual([address.topic, address.partition], ['r', partition]);
    assert.deepEqual(dialect.write(address, null), reply);
    assert.deepEqual(dialect.write(address, ERROR), errorReply);
  });
}

for (const [name, request, , reply] of dialects) {
  test(`a request forwarded by ${name} is answered to its last sender`, () => {
    const outer = (bytes: RecordHeaders[string]): Buffer =>
      Buffer.isBuffer(bytes) && bytes.length === 1 ? Buffer.from('9') : Buffer.from([0, 0, 0, 9]);
    const passedOn: RecordHeaders = Object.fromEntries(
      Object.entries(request).map(([header, inner]) => [header, [outer(inner), inner].flat() as Buffer[]]),
    );
    const dialect = detectDialect(passedOn);
    assert.equal(dialect.name, name);
    assert.deepEqual(dialect.read(passedOn), dialect.read(request));
    assert.deepEqual(dialect.write(dialect.read(passedOn), null), reply);
  });
}
