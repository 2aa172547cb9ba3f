import type { ModelCounts } from '../../schemas/generated.js';
import type { ServedVersion } from '../models/served-models.js';

interface Duration {
  readonly count: number;
  /** Nanoseconds. */
  readonly ns: number;
}

/**
 * Statistics of a version in the form of Triton, summed over the live nodes that serve it. Each node counts since it
 * loaded the version. Triton's times of inputs and outputs, which nodes do not measure, and of its cache are zero.
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md
 */
export function modelStatistics({ model, version, nodes }: ServedVersion): object {
  const all = nodes.flatMap(({ status }) => status.counts ?? []);
  const sum = (read: (counts: ModelCounts) => number): number =>
    all.reduce((total, counts) => total + read(counts), 0);
  const requests = sum((counts) => counts.requests);
  const queueMicros = sum((counts) => counts.queueMicros);
  const computeMicros = sum((counts) => counts.computeMicros);
  const answered = (micros: number): Duration => duration(requests, micros);
  return {
    name: model,
    version,
    last_inference: Math.max(0, ...all.map(({ lastAt }) => lastAt)),
    inference_count: sum((counts) => counts.rows),
    execution_count: sum((counts) => counts.batches),
    inference_stats: {
      success: answered(queueMicros + computeMicros),
      fail: duration(
        sum((counts) => counts.failed),
        sum((counts) => counts.failedMicros),
      ),
      queue: answered(queueMicros),
      compute_input: answered(0),
      compute_infer: answered(computeMicros),
      compute_output: answered(0),
      cache_hit: duration(0, 0),
      cache_miss: duration(0, 0),
    },
    batch_stats: [],
  };
}

function duration(count: number, micros: number): Duration {
  return { count, ns: micros * 1_000 };
}
