import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError } from '../../kafka/port.js';
import { problemOf } from './problem.js';

test('an unreachable cluster is 503, other errors of Kafka are 500 without their text', () => {
  const outage = problemOf(new KafkaError('unavailable', 'no broker answers'));
  assert.deepEqual([outage.http, outage.message], [503, 'no broker answers']);
  const refused = problemOf(new KafkaError('not-authorized', 'topic secret: not allowed'));
  assert.deepEqual([refused.http, refused.message], [500, 'internal error of the gateway']);
});
