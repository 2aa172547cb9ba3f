import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartituraError } from '../schemas/errors.js';
import { copyTraceHeaders, deadLetterHeaders } from './headers.js';

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
