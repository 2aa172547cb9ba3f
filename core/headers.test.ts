import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartituraError } from '../schemas/errors.js';
import {
  copyTraceHeaders,
  correlationOf,
  deadLetterHeaders,
  detectDialect,
  parsePartition,
  plainDialect,
  replyTo,
} from './headers.js';

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

test('what a caller asks for in the plain dialect is read back', () => {
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

test('a request without headers asks for nothing, and gets no correlation back', () => {
  const address = plainDialect.read({});
  assert.deepEqual(address, { topic: undefined, partition: undefined, correlation: undefined });
  assert.deepEqual(plainDialect.write(address, null), {});
});

test('the correlation is echoed byte for byte, and an error is marked by its code', () => {
  const correlation = Buffer.from('00ff80c3', 'hex');
  const headers = plainDialect.write(plainDialect.read({ 'correlation-id': correlation }), {
    code: 'INTERNAL',
  });
  assert.deepEqual(headers, { 'correlation-id': correlation, 'inference-error': Buffer.from('INTERNAL') });
});

test('the trace context goes on to the reply, and nothing else', () => {
  const traceparent = Buffer.from('00-1-2-01');
  const baggage = [Buffer.from('a=1'), Buffer.from('b=2')];
  const reply = {};
  copyTraceHeaders({ traceparent, baggage, other: Buffer.from('x') }, reply);
  assert.deepEqual(reply, { traceparent, baggage });
});

test('a dead letter says where it comes from and why, in headers named as the contract has them', () => {
  const error = new PartituraError('DECODE_FAILED', 'no Avro: ä');
  const headers = deadLetterHeaders(
    { topic: 'p.digits.requests', partition: 2, offset: 2 ** 40 },
    'decode',
    error,
  );
  const texts = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  assert.deepEqual(texts, {
    '__connect.errors.topic': 'p.digits.requests',
    '__connect.errors.partition': '2',
    '__connect.errors.offset': '1099511627776',
    '__connect.errors.stage': 'decode',
    '__connect.errors.exception.class.name': 'DECODE_FAILED',
    '__connect.errors.exception.message': 'no Avro: ä',
    'inference-error': 'DECODE_FAILED',
  });
});

test('a message that quotes a megabyte of its sender does not make the dead letter too large for its topic', () => {
  const error = new PartituraError('REPLY_TOPIC_NOT_ALLOWED', 'ä'.repeat(1_000_000));
  const headers = deadLetterHeaders({ topic: 't', partition: 0, offset: 0 }, 'validate', error);
  const bytes = Object.values(headers).reduce((sum, value) => sum + (value?.length ?? 0), 0);
  assert.ok(bytes < 16 * 1024, `${bytes} bytes of headers`);
});
