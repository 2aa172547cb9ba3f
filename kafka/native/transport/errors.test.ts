import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AuthenticationError,
  NetworkError,
  ResponseError,
  TimeoutError,
  UnsupportedCompressionError,
} from '@platformatic/kafka';
import { brokerError, errorName, responseOf, toKafkaError } from './errors.js';

const HEARTBEAT = 12;
const answered = (code: number): Error =>
  new ResponseError(HEARTBEAT, 4, { '/': [code, null] }, { memberId: 'm' });

test('library errors are classified through their wrappers', () => {
  const cases: [unknown, string][] = [
    [answered(10), 'too-large'],
    [answered(3), 'unknown-topic'],
    [answered(27), 'rebalanced'],
    [answered(113), 'rebalanced'],
    [answered(90), 'fenced'],
    [answered(16), 'unavailable'],
    [answered(42), 'other'],
    [new NetworkError('Connection closed'), 'unavailable'],
    [new TimeoutError('Request timed out'), 'unavailable'],
    [
      new NetworkError('failed', { cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) }),
      'unavailable',
    ],
    [
      new NetworkError('failed', { cause: new AuthenticationError('no', { cause: answered(58) }) }),
      'unauthenticated',
    ],
    [new NetworkError('failed', { cause: new AuthenticationError('bad nonce') }), 'unauthenticated'],
    [
      new NetworkError('failed', { cause: new AuthenticationError('no', { cause: new NetworkError('x') }) }),
      'unavailable',
    ],
    [new UnsupportedCompressionError('zstd'), 'other'],
    [new TypeError('x'), 'other'],
    ['text', 'other'],
  ];
  for (const [cause, kind] of cases) assert.equal(toKafkaError(cause).kind, kind, String(cause));
  const known = toKafkaError('x');
  assert.equal(toKafkaError(known), known);
});

test('an error reports the attempted operation and its cause', () => {
  const cause = new Error('self-signed certificate');
  assert.equal(
    toKafkaError(new NetworkError('Connection to b:1 failed.', { cause })).message,
    'Connection to b:1 failed.: self-signed certificate',
  );
  assert.match(toKafkaError(answered(27)).message, /Heartbeat.*: REBALANCE_IN_PROGRESS$/);
});

test('error codes map to protocol names, unknown codes to a number', () => {
  assert.equal(errorName(6), 'NOT_LEADER_OR_FOLLOWER');
  assert.equal(errorName(9_999), 'ERROR_9999');
  assert.equal(brokerError('NOT_LEADER_OR_FOLLOWER', 't 1').kind, 'unavailable');
  assert.equal(brokerError('ERROR_9999', 't 1').kind, 'other');
});

test("the broker's response is extracted from the library error", () => {
  assert.deepEqual(responseOf(toKafkaError(answered(79))), { memberId: 'm' });
  assert.equal(responseOf(new Error('x')), undefined);
});
