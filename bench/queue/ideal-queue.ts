/**
 * Computes latencies with one ideal queue in front of all nodes: each request goes to the node that is free first, without
 * any cost for fetching, sending or choosing; among free nodes, to the one that has waited longest.
 * @param arrivals times in ascending order, milliseconds
 * @returns the latency of each request, milliseconds
 */
export function idealQueue(arrivals: readonly number[], serviceMs: readonly number[]): number[] {
  const freeAt = serviceMs.map(() => 0);
  return arrivals.map((arrivedAt) => {
    const node = freeAt.indexOf(Math.min(...freeAt));
    const beganAt = Math.max(arrivedAt, freeAt[node] ?? 0);
    const endedAt = beganAt + (serviceMs[node] ?? 0);
    freeAt[node] = endedAt;
    return endedAt - arrivedAt;
  });
}

/** Returns the value below which this part of the values lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? NaN;
}
