import type { Attempt } from '../../producers/index.js';

/** One requested digit and its outcome. */
export interface DemoAttempt {
  readonly attempt: Attempt;
  readonly label: number;
  readonly heldBack: boolean;
  readonly latencyMs: number;
}

export interface DemoReport {
  readonly requests: number;
  readonly failures: readonly string[];
  readonly correct: number;
  readonly heldBackCorrect: number;
  readonly heldBackRows: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly meanBatchRows: number;
  readonly byNode: Readonly<Record<string, number>>;
}

/** Summarizes a run: accuracy, latency, throughput and answers by node. */
export function summarize(answers: readonly DemoAttempt[], seconds: number): DemoReport {
  const good = answers.filter(({ attempt, label }) => digitOf(attempt) === label);
  const heldBack = answers.filter((answer) => answer.heldBack);
  const latencies = answers.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  const byNode: Record<string, number> = {};
  let predictions = 0;
  let batches = 0;
  for (const { attempt } of answers) {
    if (!('prediction' in attempt)) continue;
    predictions++;
    const node = attempt.prediction.node ?? 'unknown';
    byNode[node] = (byNode[node] ?? 0) + 1;
    batches += 1 / (attempt.prediction.timing?.batchSize ?? 1);
  }
  return {
    requests: answers.length,
    failures: answers.flatMap(({ attempt }) => ('error' in attempt ? [attempt.error.message] : [])),
    correct: good.length,
    heldBackCorrect: good.filter((answer) => answer.heldBack).length,
    heldBackRows: heldBack.length,
    seconds,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    meanBatchRows: batches === 0 ? 0 : predictions / batches,
    byNode,
  };
}

/** Returns the most probable digit; undefined without an answer. */
function digitOf(attempt: Attempt): number | undefined {
  if (!('prediction' in attempt)) return undefined;
  const probabilities = Array.from(attempt.prediction.outputs['probabilities']?.data as Float32Array);
  return probabilities.indexOf(Math.max(...probabilities));
}

/** @param sorted ascending */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** Lists deviations from the expected results. */
export function problemsOf(
  report: DemoReport,
  expected: { readonly rows: number; readonly correct: number; readonly heldBackCorrect: number },
): string[] {
  const problems: string[] = [];
  if (report.failures.length > 0)
    problems.push(`${report.failures.length} requests failed; the first: ${report.failures[0]}`);
  if (report.requests !== expected.rows)
    problems.push(`expected ${expected.rows} answers, got ${report.requests}`);
  if (report.correct < expected.correct)
    problems.push(`expected ${expected.correct} correct answers in all, got ${report.correct}`);
  if (report.heldBackCorrect < expected.heldBackCorrect) {
    problems.push(
      `expected ${expected.heldBackCorrect} of the held-out digits to be correct, got ${report.heldBackCorrect}`,
    );
  }
  return problems;
}

/** Formats the report as lines. */
export function describe(report: DemoReport): string[] {
  const { requests, seconds, p50Ms, p99Ms, meanBatchRows, byNode, correct, heldBackCorrect, heldBackRows } =
    report;
  const accuracy = ((100 * heldBackCorrect) / heldBackRows).toFixed(2);
  return [
    `accuracy     ${accuracy} % on the ${heldBackRows} held-out digits (${correct} of all ${requests} correct)`,
    `throughput   ${Math.round(requests / seconds).toLocaleString('en')} requests/s (${requests.toLocaleString('en')} in ${seconds.toFixed(2)} s)`,
    `latency      p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`,
    `batches      ${meanBatchRows.toFixed(1)} rows on average`,
    ...Object.entries(byNode)
      .sort()
      .map(([node, count]) => `answered by  ${node}: ${count.toLocaleString('en')}`),
  ];
}
