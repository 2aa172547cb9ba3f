import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headersToPass } from './reply-headers.js';

const REQUEST = {
  tenant: Buffer.from('a'),
  'x-shard': [Buffer.from('1'), Buffer.from('2')],
  traceparent: Buffer.from("the request's"),
  'content-type': Buffer.from('application/json'),
  ce_id: Buffer.from('e'),
  'reply-to': Buffer.from('t'),
  kafka_replyTopic: Buffer.from('t'),
};

const passed = (...patterns: string[]): object => {
  const reply = { traceparent: Buffer.from("the reply's") };
  headersToPass(patterns)(REQUEST, reply);
  return reply;
};
const traceparent = Buffer.from("the reply's");

test('without patterns no header is copied', () => {
  assert.deepEqual(passed(), { traceparent });
});

test('headers that match a pattern are copied with all their values', () => {
  assert.deepEqual(passed('tenant'), { traceparent, tenant: REQUEST.tenant });
  assert.deepEqual(passed('x-*'), { traceparent, 'x-shard': REQUEST['x-shard'] });
});

test('with any pattern, headers of the reply are kept, and those about the request itself are not copied', () => {
  assert.deepEqual(passed('*'), { traceparent, tenant: REQUEST.tenant, 'x-shard': REQUEST['x-shard'] });
});
