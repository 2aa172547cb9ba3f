import { BenchHarness } from '../harness.js';
import { addressOf } from '../systems/system.js';
import { simulatedWorkload } from './simulated-workload.js';
import { startSimulatedNode } from './simulated-node.js';
import { troubles, within, type Growth } from './growth.js';

const SERVICE_MS = 20;
const ROWS_OF_A_BATCH = 8;
const PARTITIONS = 16;
const INFLIGHT = 512;

/** Nodes that share the requests of one model; each is limited to 400 rows per second, so that only their number matters. */
export const nodes: Growth = {
  name: 'nodes',
  of: 'nodes',
  steps: [1, 2, 4, 8],
  measure: (prepared, count) =>
    within(BenchHarness.open(prepared, {}, PARTITIONS), async (harness) => {
      const limits = { maxBatchRows: ROWS_OF_A_BATCH };
      const running = await Promise.all(
        Array.from({ length: count }, () => startSimulatedNode(harness, SERVICE_MS, limits)),
      );
      try {
        const { brokers, partitions, generator } = harness;
        const result = await generator.run({
          brokers,
          partitions,
          ...addressOf(harness.config().prefix, 'digits'),
          inflight: INFLIGHT,
          warmUpMs: 4_000,
          measureMs: 6_000,
          workload: simulatedWorkload(64, 1),
        });
        const { requestsPerSecond, p50Ms } = result;
        return {
          'requests/s': Math.round(requestsPerSecond),
          'of linear, %': Math.round(
            (requestsPerSecond * SERVICE_MS * 100) / (ROWS_OF_A_BATCH * 1_000 * count),
          ),
          'p50 ms': Math.round(p50Ms),
          ...troubles(result),
        };
      } finally {
        await Promise.all(running.map((node) => node.stop()));
      }
    }),
};
