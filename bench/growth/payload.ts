import { BenchHarness } from '../harness.js';
import { simulatedWorkload } from './simulated-workload.js';
import { startSimulatedNode } from './simulated-node.js';
import { troubles, within, type Growth } from './growth.js';

const FLOAT_BYTES = 4;
const MOST_BYTES = 9_000_000;
/** Bytes in flight. */
const IN_FLIGHT_BYTES = 32_000_000;

/** Bytes of the request tensor; the reply is small and the engine takes no time. */
export const payload: Growth = {
  name: 'payload',
  of: 'bytes a request',
  steps: [1_000, 10_000, 100_000, 1_000_000, 8_000_000],
  measure: (prepared, bytes) =>
    within(BenchHarness.open(prepared), async (harness) => {
      const node = await startSimulatedNode(harness, 0, { maxRecordBytes: MOST_BYTES });
      try {
        const { brokers, partitions, generator } = harness;
        const inflight = Math.min(1_000, Math.max(4, Math.floor(IN_FLIGHT_BYTES / bytes)));
        const result = await generator.run({
          brokers,
          partitions,
          ...node.address,
          inflight,
          maxBytes: MOST_BYTES,
          warmUpMs: 2_000,
          measureMs: 5_000,
          workload: simulatedWorkload(bytes / FLOAT_BYTES, 1),
        });
        const { requestsPerSecond, p50Ms } = result;
        return {
          'in flight': inflight,
          'requests/s': Math.round(requestsPerSecond),
          'MB/s': Number(((requestsPerSecond * bytes) / 1e6).toFixed(1)),
          'p50 ms': Math.round(p50Ms),
          ...troubles(result),
        };
      } finally {
        await node.stop();
      }
    }),
};
