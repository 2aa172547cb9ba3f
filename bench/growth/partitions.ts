import { BenchHarness } from '../harness.js';
import { measure } from '../measure.js';
import { partituraNode } from '../systems/node.js';
import { DEFAULT_CLIENT } from '../systems/index.js';
import { troubles, within, type Growth } from './growth.js';

const CELL = { model: 'digits', rows: 1, inflight: 1_000, lingers: true, spread: 'batches' } as const;

/** Partitions of the topics of one model, all on one node. Senders name no partition, so their clients fill one after another. */
export const partitions: Growth = {
  name: 'partitions',
  of: 'partitions',
  steps: [4, 16, 64, 256],
  measure: (prepared, count) =>
    within(BenchHarness.open(prepared, {}, count), async (harness) => {
      const system = partituraNode(DEFAULT_CLIENT, 'tensorflow');
      const running = await system.start(harness, CELL.model);
      try {
        const duration = { warmUpMs: 12_000, measureMs: 5_000 };
        const measured = await measure({ harness, system, running }, CELL, duration);
        const { requestsPerSecond, p50Ms, p99Ms, processorPer1000 } = measured;
        return {
          'requests/s': Math.round(requestsPerSecond),
          'p50 ms': Math.round(p50Ms),
          'p99 ms': Math.round(p99Ms),
          'node s/1,000': Number(processorPer1000.system.toFixed(4)),
          'broker s/1,000': Number(processorPer1000.broker.toFixed(4)),
          ...troubles(measured),
        };
      } finally {
        await running.stop();
      }
    }),
};
