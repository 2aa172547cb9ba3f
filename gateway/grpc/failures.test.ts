import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Overloaded } from '../inference/problem.js';
import { NoReplyError } from '../../producers/no-reply-error.js';
import { callProblem, sentence, statusName, statusOf } from './failures.js';

test('a sentence fits a trailer, and can be percent-encoded', () => {
  assert.equal(sentence('x'.repeat(5_000)).length, 2_000);
  assert.doesNotThrow(() => encodeURI(sentence(`name '\ud800'`)));
});

test('a call that ended at its deadline is late, not cancelled', () => {
  const aborted = new NoReplyError('aborted', 'the caller cancelled the call');
  assert.equal(statusName(callProblem(aborted, Infinity).grpc), 'CANCELLED');
  assert.equal(statusName(callProblem(aborted, new Date(Date.now() - 1)).grpc), 'DEADLINE_EXCEEDED');
});

test('a refusal for a long queue tells when to retry', () => {
  const { code, metadata } = statusOf(callProblem(new Overloaded('queue', 3), Infinity));
  assert.equal(statusName(code), 'RESOURCE_EXHAUSTED');
  assert.deepEqual(metadata.get('grpc-retry-pushback-ms'), ['3000']);
});
