import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordLimitProblem } from './record-limits.js';

test('the defaults of Kafka and Partitura are compatible', () => {
  assert.equal(recordLimitProblem('t', 1_048_588, 1_000_000), undefined);
});

test('a topic with a limit below the record size is reported with both remedies', () => {
  const problem = recordLimitProblem('p.m.requests', 1_048_588, 8_000_000) ?? '';
  assert.match(problem, /topic p\.m\.requests takes at most 1048588 bytes, and records may have 8000000/);
  assert.match(problem, /--entity-name p\.m\.requests --add-config max\.message\.bytes=8016384/);
  assert.match(problem, /PARTITURA_MAX_RECORD_BYTES=1032204/);
});

test('for a very small topic limit, lowering the record size is not suggested', () => {
  assert.doesNotMatch(recordLimitProblem('t', 1_000, 1_000_000) ?? '', /PARTITURA_MAX_RECORD_BYTES/);
});
