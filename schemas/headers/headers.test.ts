import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartituraError } from '../errors.js';
import { copyTraceHeaders, deadLetterHeaders } from './headers.js';

test('only the trace context is copied to the reply', () => {
  const traceparent = Buffer.from('00-1-2-01');
  const baggage = [Buffer.from('a=1'), Buffer.from('b=2')];
  const reply = {};
  copyTraceHeaders({ traceparent, baggage, other: Buffer.from('x') }, reply);
  assert.deepEqual(reply, { traceparent, baggage });
});

test('the headers of a dead letter state its origin and the reason, with the names of the contract', () => {
  const error = new PartituraError('DECODE_FAILED', 'no Avro: ä');
  const headers = deadLetterHeaders(
    { topic: 'p.digits.requests', partition: 2, offset: 2 ** 40, timestamp: 0 },
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

test('in the Spring style, numbers are encoded as in Java; both styles can be combined', () => {
  const error = new PartituraError('DECODE_FAILED', 'no Avro');
  const source = { topic: 't', partition: 2, offset: 2 ** 40, timestamp: 1_700_000_000_000 };
  const spring = deadLetterHeaders(source, 'decode', error, 'spring');
  const bytes = Object.fromEntries(
    Object.entries(spring).map(([name, value]) => [name, (value as Buffer).toString('hex')]),
  );
  assert.deepEqual(bytes, {
    'kafka_dlt-original-topic': Buffer.from('t').toString('hex'),
    'kafka_dlt-original-partition': '00000002',
    'kafka_dlt-original-offset': '0000010000000000',
    'kafka_dlt-original-timestamp': '0000018bcfe56800',
    'kafka_dlt-exception-fqcn': Buffer.from('DECODE_FAILED').toString('hex'),
    'kafka_dlt-exception-message': Buffer.from('no Avro').toString('hex'),
    'inference-error': Buffer.from('DECODE_FAILED').toString('hex'),
  });
  assert.deepEqual(deadLetterHeaders(source, 'decode', error, 'both'), {
    ...deadLetterHeaders(source, 'decode', error, 'connect'),
    ...spring,
  });
});

test('a message that quotes a megabyte of sender data does not make the dead letter too large for its topic', () => {
  const error = new PartituraError('REPLY_TOPIC_NOT_ALLOWED', 'ä'.repeat(1_000_000));
  const headers = deadLetterHeaders({ topic: 't', partition: 0, offset: 0, timestamp: 0 }, 'validate', error);
  const bytes = Object.values(headers).reduce((sum, value) => sum + (value?.length ?? 0), 0);
  assert.ok(bytes < 16 * 1024, `${bytes} bytes of headers`);
});
