import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe, problemsOf, summarize, type DemoAttempt } from './report.js';

const answered = (
  digit: number,
  label: number,
  changes: { latencyMs?: number; heldBack?: boolean; node?: string; batchSize?: number } = {},
): DemoAttempt => {
  const { latencyMs = 1, heldBack = false, node = 'n1', batchSize = 1 } = changes;
  const data = Float32Array.from({ length: 10 }, (_, index) => (index === digit ? 0.9 : 0.01));
  const outputs = { probabilities: { datatype: 'FP32' as const, shape: [1, 10], data } };
  const timing = { queueMicros: 0, computeMicros: 0, batchSize };
  return {
    attempt: { index: 0, prediction: { id: '', model: 'digits', version: '1', outputs, node, timing } },
    label,
    heldBack,
    latencyMs,
  };
};

const failed = (message: string): DemoAttempt => ({
  attempt: { index: 0, error: new Error(message) },
  label: 1,
  heldBack: true,
  latencyMs: 1,
});

test('a report counts correct answers, answers by node and batch sizes', () => {
  const four = { batchSize: 4, node: 'n2' };
  const answers = [
    answered(3, 3, { heldBack: true }),
    answered(4, 5, { heldBack: true }),
    ...[1, 1, 1, 1].map((digit) => answered(digit, 1, four)),
    failed('lost'),
  ];
  const report = summarize(answers, 2);
  assert.deepEqual(
    [
      report.requests,
      report.correct,
      report.heldBackRows,
      report.heldBackCorrect,
      report.byNode,
      report.failures,
    ],
    [7, 5, 3, 1, { n1: 2, n2: 4 }, ['lost']],
  );
  assert.equal(report.meanBatchRows, 2);
});

test('latencies are reported as percentiles', () => {
  const answers = Array.from({ length: 100 }, (_, index) => answered(1, 1, { latencyMs: 100 - index }));
  const { p50Ms, p99Ms } = summarize(answers, 1);
  assert.deepEqual([p50Ms, p99Ms], [51, 100]);
});

test('a run fails if answers are missing, failed or less accurate than the model', () => {
  const good = summarize([answered(1, 1, { heldBack: true })], 1);
  assert.deepEqual(problemsOf(good, { rows: 1, correct: 1, heldBackCorrect: 1 }), []);
  assert.deepEqual(problemsOf(good, { rows: 2, correct: 2, heldBackCorrect: 2 }), [
    'expected 2 answers, got 1',
    'expected 2 correct answers in all, got 1',
    'expected 2 of the held-out digits to be correct, got 1',
  ]);
  assert.deepEqual(problemsOf(summarize([failed('lost')], 1), { rows: 1, correct: 0, heldBackCorrect: 0 }), [
    '1 requests failed; the first: lost',
  ]);
});

test('the report is formatted as text', () => {
  const lines = describe(summarize([answered(1, 1, { heldBack: true, node: 'n2' }), answered(1, 2)], 0.5));
  assert.deepEqual(lines, [
    'accuracy     100.00 % on the 1 held-out digits (1 of all 2 correct)',
    'throughput   4 requests/s (2 in 0.50 s)',
    'latency      p50 1.0 ms, p99 1.0 ms',
    'batches      1.0 rows on average',
    'answered by  n1: 1',
    'answered by  n2: 1',
  ]);
});
