import type { Prepared } from '../harness.js';
import { measureThroughput, type DeliveryResult } from './throughput.js';
import { measureUneven, type UnevenResult } from './uneven.js';

const INFLIGHT = [1, 64, 1_000];

/** Results of the part `queue`: deliveries compared, on one node and on uneven nodes. */
export type QueueResult =
  ({ readonly of: 'throughput' } & DeliveryResult) | ({ readonly of: 'uneven nodes' } & UnevenResult);

/** Compares the deliveries of requests: `queue` with `ordered`, and with one ideal queue. */
export async function measureQueue(
  prepared: Prepared,
  print: (line: string) => void,
): Promise<QueueResult[]> {
  const uneven = await measureUneven(prepared, print);
  const throughput = await measureThroughput(prepared, INFLIGHT, print);
  return [
    ...throughput.map((result) => ({ of: 'throughput' as const, ...result })),
    ...uneven.map((result) => ({ of: 'uneven nodes' as const, ...result })),
  ];
}
