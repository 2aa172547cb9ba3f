import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNodeProcess } from '../../local-cluster/role-process.js';
import { BenchHarness } from '../harness.js';
import { residentBytes } from '../processor-time.js';
import { addressOf } from '../systems/system.js';
import { createWorkload } from '../workloads.js';
import { troubles, within, type Growth } from './growth.js';

/** Models on one node, each with its own topics and group; one of them receives requests. */
export const models: Growth = {
  name: 'models',
  of: 'models on a node',
  steps: [1, 10, 50],
  measure: (prepared, count) =>
    within(BenchHarness.open(prepared), async (harness) => {
      const folder = mkdtempSync(join(tmpdir(), 'partitura-bench-models-'));
      try {
        for (let index = 0; index < count; index++)
          cpSync(
            join(harness.modelsFolder, 'tensorflow-digits', 'digits'),
            join(folder, index === 0 ? 'digits' : `digits-${index}`),
            { recursive: true },
          );
        return await measureNode(harness, folder);
      } finally {
        rmSync(folder, { recursive: true });
      }
    }),
};

async function measureNode(harness: BenchHarness, folder: string): Promise<Record<string, number>> {
  const { brokers, partitions, generator, modelsFolder } = harness;
  const config = harness.config({ models: folder });
  const started = performance.now();
  const node = await startNodeProcess(config, { log: () => undefined });
  const startMs = performance.now() - started;
  try {
    const load = {
      brokers,
      partitions,
      ...addressOf(config.prefix, 'digits'),
      warmUpMs: 2_000,
      measureMs: 4_000,
      workload: createWorkload('avro', 'digits', 1, modelsFolder),
    };
    const alone = await generator.run({ ...load, inflight: 1 });
    const many = await generator.run({ ...load, inflight: 1_000 });
    return {
      'start s': Number((startMs / 1_000).toFixed(1)),
      'memory, MiB': Math.round(residentBytes(node.pid) / 2 ** 20),
      'p50 ms at W = 1': Number(alone.p50Ms.toFixed(2)),
      'requests/s at W = 1,000': Math.round(many.requestsPerSecond),
      ...troubles(alone, many),
    };
  } finally {
    await node.stop();
  }
}
