import { createLogger } from '../../core/log.js';
import { DELIVERIES, type Delivery } from '../../core/config/node.js';
import { createKafkaClient } from '../../kafka/client.js';
import { startSimulatedNode } from '../growth/simulated-node.js';
import { simulatedWorkload } from '../growth/simulated-workload.js';
import { BenchHarness, type Prepared } from '../harness.js';
import { addressOf } from '../systems/system.js';
import { idealQueue, quantile } from './ideal-queue.js';
import { openLoad } from './open-load.js';

/** Service times of the nodes, milliseconds. On few cores a wait of 5 ms takes longer; 20 ms are more exact. */
const CASES = [
  [5, 5, 5, 50],
  [20, 20, 20, 200],
];
/** Part of the nodes' total rate that is requested. */
const LOAD = 0.75;
const SECONDS = 10;
const WARM_UP_REQUESTS = 200;
const PARTITIONS = 4;

export interface UnevenResult {
  /** `ideal` is computed for the arrivals of the run with `queue`. */
  readonly delivery: Delivery | 'ideal';
  readonly serviceMs: readonly number[];
  readonly requestsPerSecond: number;
  readonly answered: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly perNode: Readonly<Record<string, number>>;
}

/** Measures four nodes, one of them ten times slower, at 75 % load from senders that know nothing of nodes. */
export async function measureUneven(
  prepared: Prepared,
  print: (line: string) => void,
): Promise<UnevenResult[]> {
  const results: UnevenResult[] = [];
  for (const serviceMs of CASES)
    for (const delivery of DELIVERIES) results.push(...(await measureOne(prepared, delivery, serviceMs)));
  for (const { delivery, serviceMs, answered, p50Ms, p90Ms, p99Ms, perNode } of results)
    print(
      `${delivery.padEnd(8)} ${serviceMs.join(', ')} ms: ${answered} answered, p50 ${p50Ms.toFixed(1)} ms, p90 ${p90Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, ${Object.values(perNode).join(' ')}`,
    );
  return results;
}

async function measureOne(
  prepared: Prepared,
  delivery: Delivery,
  serviceMs: readonly number[],
): Promise<UnevenResult[]> {
  const harness = await BenchHarness.open(prepared, {}, PARTITIONS);
  const config = harness.config();
  const requestsPerSecond = Math.round(LOAD * serviceMs.reduce((sum, ms) => sum + 1_000 / ms, 0));
  const nodes = await Promise.all(
    serviceMs.map((ms, index) =>
      startSimulatedNode(harness, ms, { delivery, maxBatchRows: 1, nodeId: `node-${index}-${ms}ms` }),
    ),
  );
  const kafka = createKafkaClient(config, 'bench-load', createLogger('bench', 'error'));
  const [value = Buffer.alloc(0)] = simulatedWorkload(64, 1).values;
  const load = {
    ...addressOf(config.prefix, 'digits'),
    replyPartitions: PARTITIONS,
    requestsPerSecond,
    value,
  };
  try {
    await openLoad(kafka, { ...load, requests: WARM_UP_REQUESTS });
    const { arrivals, latencies, perNode } = await openLoad(kafka, {
      ...load,
      requests: SECONDS * requestsPerSecond,
    });
    const measured = { delivery, serviceMs, requestsPerSecond, ...summary(latencies), perNode };
    if (delivery === 'ordered') return [measured];
    const ideal = summary(idealQueue(arrivals, serviceMs));
    return [measured, { delivery: 'ideal', serviceMs, requestsPerSecond, ...ideal, perNode: {} }];
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
    await harness.close();
  }
}

function summary(latencies: readonly number[]): Pick<UnevenResult, 'answered' | 'p50Ms' | 'p90Ms' | 'p99Ms'> {
  const [p50Ms = NaN, p90Ms = NaN, p99Ms = NaN] = [0.5, 0.9, 0.99].map((part) => quantile(latencies, part));
  return { answered: latencies.length, p50Ms, p90Ms, p99Ms };
}
