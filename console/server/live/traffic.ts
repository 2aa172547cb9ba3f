import type { Registry } from '../../../core/telemetry.js';

const SECONDS = 'partitura_gateway_request_seconds';
const REQUESTS = 'partitura_gateway_requests_total';
/** Requests to the gateway's own routes, these pages among them. */
const OWN = 'gateway';

/** A gateway's counters since its start, over all dialects. */
export interface TrafficTotals {
  readonly answered: number;
  readonly failed: number;
  /** Number of requests that took at most so long; bounds in seconds, ascending, Infinity last. */
  readonly buckets: readonly { readonly bound: number; readonly count: number }[];
}

export interface Traffic {
  readonly answered: number;
  readonly failed: number;
  readonly p50: number | null;
  readonly p95: number | null;
}

interface Sample {
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  readonly value: number;
}

/** Reads the counters of a gateway. */
export async function readTotals(registry: Registry): Promise<TrafficTotals> {
  const samplesOf = async (name: string): Promise<readonly Sample[]> => {
    const metric = registry.getSingleMetric(name);
    const { values } = metric ? await metric.get() : { values: [] };
    return (values as readonly Sample[]).filter(({ labels }) => labels['dialect'] !== OWN);
  };
  const requests = await samplesOf(REQUESTS);
  const counts = new Map<number, number>();
  for (const { labels, value } of await samplesOf(SECONDS)) {
    const bound = labels['le'] === '+Inf' ? Infinity : Number(labels['le']);
    if (!Number.isNaN(bound)) counts.set(bound, (counts.get(bound) ?? 0) + value);
  }
  return {
    answered: sum(requests),
    failed: sum(requests.filter(({ labels }) => isFailure(String(labels['status'])))),
    buckets: [...counts].sort(([one], [other]) => one - other).map(([bound, count]) => ({ bound, count })),
  };
}

function sum(samples: readonly Sample[]): number {
  return samples.reduce((total, { value }) => total + value, 0);
}

/** Status codes of HTTP count from 400; those of gRPC are below 17, and 0 is success. */
function isFailure(status: string): boolean {
  const code = Number(status);
  return Number.isNaN(code) ? status !== 'OK' : code >= 400 || (code > 0 && code < 17);
}

/** Returns the traffic between two readings. Rates are per second, quantiles in milliseconds. */
export function trafficBetween(before: TrafficTotals, after: TrafficTotals, seconds: number): Traffic {
  const rate = (now: number, then: number): number => Math.max(0, now - then) / seconds;
  const old = new Map(before.buckets.map(({ bound, count }) => [bound, count]));
  const buckets = after.buckets.map(({ bound, count }) => ({ bound, count: count - (old.get(bound) ?? 0) }));
  return {
    answered: rate(after.answered, before.answered),
    failed: rate(after.failed, before.failed),
    p50: quantileMs(buckets, 0.5),
    p95: quantileMs(buckets, 0.95),
  };
}

/** Estimates a quantile as Prometheus does: linearly within its bucket; at most the largest finite bound. */
function quantileMs(buckets: TrafficTotals['buckets'], quantile: number): number | null {
  const wanted = (buckets.at(-1)?.count ?? 0) * quantile;
  if (wanted <= 0) return null;
  let lower = 0;
  let below = 0;
  for (const { bound, count } of buckets) {
    if (count >= wanted) {
      if (bound === Infinity) return lower * 1_000;
      return (lower + ((bound - lower) * (wanted - below)) / (count - below)) * 1_000;
    }
    lower = bound;
    below = count;
  }
  return lower * 1_000;
}
