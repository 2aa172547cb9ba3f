import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModelCounter, sumOfCounts } from './model-counts.js';

test('requests, rows, batches and times add up, over the signatures of a version, too', () => {
  let now = 100;
  const counter = new ModelCounter(() => now);
  counter.computed();
  counter.answered(3, { queueMs: 2, computeMicros: 500 });
  counter.answered(1, { queueMs: 1.5, computeMicros: 500 });
  now = 200;
  counter.computed();
  counter.failed(4);
  const counts = {
    requests: 2,
    rows: 4,
    batches: 2,
    failed: 1,
    queueMicros: 3_500,
    computeMicros: 1_000,
    failedMicros: 4_000,
    lastAt: 200,
  };
  assert.deepEqual(counter.counts, counts);
  const other = new ModelCounter(() => 150);
  other.computed();
  other.answered(1, { queueMs: 0, computeMicros: 10 });
  assert.deepEqual(sumOfCounts([counts, other.counts]), {
    ...counts,
    requests: 3,
    rows: 5,
    batches: 3,
    computeMicros: 1_010,
  });
});
