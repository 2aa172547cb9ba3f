import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answeredBy, readAnsweredBy, type AnsweredBy } from './answered-by.js';

const asHeaders = (reply: AnsweredBy): Record<string, Buffer> =>
  Object.fromEntries(Object.entries(answeredBy(reply)).map(([name, text]) => [name, Buffer.from(text)]));

test('headers about the answering node survive a round trip', () => {
  const replies: AnsweredBy[] = [
    { node: 'node-1', timing: { queueMicros: 10, computeMicros: 20, batchSize: 3 } },
    { node: 'node-1', timing: null },
    { node: null, timing: null },
  ];
  for (const reply of replies) assert.deepEqual(readAnsweredBy(asHeaders(reply)), reply);
});

test('similar headers of other programs are ignored', () => {
  const headers = { 'partitura-queue-micros': Buffer.from('1'), 'partitura-batch-rows': Buffer.from('x') };
  assert.deepEqual(readAnsweredBy(headers), { node: null, timing: null });
});
