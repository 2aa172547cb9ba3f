import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordBytes } from '../sending/record-bytes.js';
import { toKafkaError } from './errors.js';
import { sendWhole } from './producer.js';

test("a record's size includes its headers", () => {
  const headers = { a: Buffer.alloc(10), bb: [Buffer.alloc(1), Buffer.alloc(2)], c: undefined };
  assert.equal(recordBytes({ key: Buffer.alloc(3), value: null, headers }), 3 + 11 + 3 + 4 + 1);
});

const options = { acks: -1 };
const messages = [
  {
    topic: 't',
    messages: [
      { value: 'a', partition: 0 },
      { value: 'b', partition: 9 },
    ],
  },
  { topic: 'u', messages: [{ value: 'c', partition: 0 }] },
];
const acknowledged = (topicName: string, partition: number) => ({ topicName, partition, errorCode: 0 });

test('records left unacknowledged after a leader change are resent', async () => {
  const sent: unknown[] = [];
  const answers = [[acknowledged('t', 0), acknowledged('u', 0)], [acknowledged('t', 9)]];
  await sendWhole(
    ({ topicMessages }) => {
      sent.push(topicMessages);
      return Promise.resolve(answers.shift() ?? []);
    },
    messages,
    options,
  );
  assert.deepEqual(sent, [messages, [{ topic: 't', messages: [{ value: 'b', partition: 9 }] }]]);
});

test('a record for a partition that is never acknowledged is reported as refused', async () => {
  const send = () => Promise.resolve([acknowledged('t', 0), acknowledged('u', 0)]);
  await assert.rejects(sendWhole(send, messages, options), {
    kind: 'unknown-topic',
    message: 'topic t has no partition 9',
  });
});

test('kafkajs errors are classified through their wrappers', () => {
  const error = (name: string, more: object = {}): Error =>
    Object.assign(new Error('message'), { name, ...more });
  const cases: [unknown, string][] = [
    [error('KafkaJSProtocolError', { type: 'MESSAGE_TOO_LARGE' }), 'too-large'],
    [error('KafkaJSProtocolError', { type: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: true }), 'unknown-topic'],
    [
      error('KafkaJSNumberOfRetriesExceeded', {
        cause: error('KafkaJSProtocolError', { type: 'REBALANCE_IN_PROGRESS' }),
      }),
      'rebalanced',
    ],
    [error('KafkaJSNumberOfRetriesExceeded', { cause: error('KafkaJSConnectionError') }), 'unavailable'],
    [error('KafkaJSProtocolError', { type: 'NOT_LEADER_FOR_PARTITION', retriable: true }), 'unavailable'],
    [error('KafkaJSProtocolError', { type: 'PRODUCER_FENCED' }), 'fenced'],
    [error('KafkaJSSASLAuthenticationError'), 'unauthenticated'],
    [error('TypeError'), 'other'],
    ['text', 'other'],
  ];
  for (const [cause, kind] of cases) assert.equal(toKafkaError(cause).kind, kind, String(cause));
  const known = toKafkaError('x');
  assert.equal(toKafkaError(known), known);
});
