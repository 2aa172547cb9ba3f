import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KafkaRecord } from '../../kafka/port.js';
import type { RecordHeaders } from '../../schemas/framing/framing.js';
import { RequestId } from './request-id.js';

const record = (
  headers: RecordHeaders,
  value: string | null = null,
  key: string | null = null,
): KafkaRecord => ({
  topic: 't',
  partition: 0,
  offset: 0,
  key: key === null ? null : Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  headers,
  timestamp: 0,
});
const never = (): string | undefined => assert.fail('no value should be decoded');
const correlated = (bytes: Buffer): KafkaRecord => record({ 'correlation-id': bytes });

test('a correlation id is text, or bytes given as hexadecimal digits or a UUID', () => {
  const uuid = '00ff8a30-1111-2222-3333-fffefdfcfbfa';
  const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex');
  for (const [id, found] of [
    ['c-1', Buffer.from('c-1')],
    [uuid, bytes],
    [bytes.toString('hex').toUpperCase(), bytes],
    [`0x${bytes.toString('hex')}`, bytes],
    [uuid, Buffer.from(uuid)],
  ] as const)
    assert.equal(RequestId.of(id).matches(correlated(found), never), 'correlation id', id);
  assert.equal(RequestId.of('c-1').matches(correlated(Buffer.from('c-10')), never), undefined);
});

test('the correlation id of every dialect matches', () => {
  for (const name of ['correlation-id', 'kafka_correlationId', 'REPLY_CORRELATION_ID'])
    assert.equal(
      RequestId.of('c').matches(record({ [name]: Buffer.from('c') }), never),
      'correlation id',
      name,
    );
});

test('a value is decoded only if the record contains the id, which must then equal its own id', () => {
  const requestId = RequestId.of('r-1');
  assert.equal(requestId.matches(record({}, 'something else'), never), undefined);
  assert.equal(
    requestId.matches(record({}, '"id":"r-1"'), () => 'r-1'),
    'request id',
  );
  assert.equal(
    requestId.matches(record({}, '"id":"r-10"'), () => 'r-10'),
    undefined,
  );
  assert.equal(
    requestId.matches(record({}, 'x', 'r-1'), () => 'r-1'),
    'request id',
    "MLServer's key",
  );
  assert.equal(
    requestId.matches(record({ ce_id: Buffer.from('r-1') }, 'x'), () => 'r-1'),
    'request id',
  );
});

test('a trace id is found in traceparent', () => {
  const id = '0af7651916cd43dd8448eb211c80319c';
  const traced = record({ traceparent: Buffer.from(`00-${id}-b7ad6b7169203331-01`) });
  assert.equal(RequestId.of(id.toUpperCase()).matches(traced, never), 'trace id');
  assert.equal(RequestId.of(id.replace('0', '1')).matches(traced, never), undefined);
});

test('replies match by the correlation ids of the found requests, and by request id only without one', () => {
  const correlation = Buffer.from('c-1');
  const correlatedRequest = { record: correlated(correlation), id: 'same' };
  const requestId = RequestId.of('trace').with([correlatedRequest, { record: record({}), id: 'alone' }]);
  assert.equal(requestId.matches(correlated(correlation), never), 'correlation id');
  assert.equal(
    requestId.matches(record({}, 'same'), () => 'same'),
    undefined,
  );
  assert.equal(
    requestId.matches(record({}, 'alone'), () => 'alone'),
    'request id',
  );
});
