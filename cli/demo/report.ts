import type { Attempt } from '../../producers/index.js';

/** One digit that was asked for, and what came of it. */
export interface Answered {
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

/** Sums up a run: what was right, how long it took, and who did it. */
export function sumUp(answers: readonly Answered[], seconds: number): DemoReport {
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

/** The most probable digit; undefined when there is no answer. */
function digitOf(attempt: Attempt): number | undefined {
  if (!('prediction' in attempt)) return undefined;
  const probabilities = Array.from(attempt.prediction.outputs['probabilities']?.data as Float32Array);
  return probabilities.indexOf(Math.max(...probabilities));
}

/** @param sorted ascending */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** Why the run is not as it should be; empty when it is. */
export function problemsOf(
  report: DemoReport,
  expected: { readonly rows: number; readonly correct: number; readonly heldBackCorrect: number },
): string[] {
  const problems: string[] = [];
  if (report.failures.length > 0)
    problems.push(`${report.failures.length} requests were not answered, the first: ${report.failures[0]}`);
  if (report.requests !== expected.rows)
    problems.push(`expected ${expected.rows} answers, got ${report.requests}`);
  if (report.correct < expected.correct)
    problems.push(`expected ${expected.correct} right answers in all, got ${report.correct}`);
  if (report.heldBackCorrect < expected.heldBackCorrect) {
    problems.push(
      `expected ${expected.heldBackCorrect} of the held-back digits to be right, got ${report.heldBackCorrect}`,
    );
  }
  return problems;
}

/** The report as lines for people. */
export function describe(report: DemoReport): string[] {
  const { requests, seconds, p50Ms, p99Ms, meanBatchRows, byNode, correct, heldBackCorrect, heldBackRows } =
    report;
  const accuracy = ((100 * heldBackCorrect) / heldBackRows).toFixed(2);
  return [
    `accuracy     ${accuracy} % on the ${heldBackRows} digits that training never saw (${correct} of all ${requests} right)`,
    `throughput   ${Math.round(requests / seconds).toLocaleString('en')} requests/s (${requests.toLocaleString('en')} in ${seconds.toFixed(2)} s)`,
    `latency      p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`,
    `batches      ${meanBatchRows.toFixed(1)} rows on average`,
    ...Object.entries(byNode)
      .sort()
      .map(([node, count]) => `answered by  ${node}: ${count.toLocaleString('en')}`),
  ];
}
