import { join } from 'node:path';
import { DELIVERIES, type Delivery } from '../../core/config/node.js';
import { startNodeProcess } from '../../local-cluster/role-process.js';
import { BenchHarness, type Prepared } from '../harness.js';
import { addressOf } from '../systems/system.js';
import { createWorkload } from '../workloads.js';

const ROUNDS = 3;
const PARTITIONS: Readonly<Record<Delivery, number>> = { ordered: 4, queue: 1 };
const DURATION = { warmUpMs: 4_000, measureMs: 5_000 };

export interface DeliveryResult {
  readonly delivery: Delivery;
  readonly inflight: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly wrong: number;
}

/** Measures one node with the digits model in ONNX, its requests delivered both ways in turn on one broker. */
export async function measureThroughput(
  prepared: Prepared,
  inflights: readonly number[],
  print: (line: string) => void,
): Promise<DeliveryResult[]> {
  const harness = await BenchHarness.open(prepared);
  const results: DeliveryResult[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++)
      for (const inflight of inflights)
        for (const delivery of DELIVERIES) {
          const result = await measureOne(harness, delivery, inflight);
          results.push(result);
          print(
            `${delivery.padEnd(8)} W = ${String(inflight).padEnd(6)} ${result.requestsPerSecond.toFixed(0)}/s, p50 ${result.p50Ms.toFixed(1)} ms, p99 ${result.p99Ms.toFixed(1)} ms, lost ${result.lost}, duplicates ${result.duplicates}`,
          );
        }
  } finally {
    await harness.close();
  }
  return results;
}

async function measureOne(
  harness: BenchHarness,
  delivery: Delivery,
  inflight: number,
): Promise<DeliveryResult> {
  const models = join(harness.modelsFolder, 'onnx-digits');
  const partitions = PARTITIONS[delivery];
  const config = harness.config({ prefix: harness.ownPrefix(), delivery, models, partitions });
  const node = await startNodeProcess(config, { log: () => undefined });
  try {
    const { requestsPerSecond, p50Ms, p99Ms, lost, duplicates, wrong } = await harness.generator.run({
      brokers: harness.brokers,
      partitions,
      ...addressOf(config.prefix, 'digits'),
      inflight,
      ...DURATION,
      workload: createWorkload('avro', 'digits', 1, harness.modelsFolder),
    });
    return { delivery, inflight, requestsPerSecond, p50Ms, p99Ms, lost, duplicates, wrong };
  } finally {
    await node.stop();
  }
}
