import { modelTopics } from '../../cluster/topic-specs.js';
import { eventually } from '../eventually.js';
import { BenchHarness } from '../harness.js';
import { residentBytes } from '../processor-time.js';
import { partituraNode } from '../systems/node.js';
import { DEFAULT_CLIENT } from '../systems/index.js';
import { addressOf, type RunningSystem } from '../systems/system.js';
import { createWorkload } from '../workloads.js';
import { troubles, within, type Growth } from './growth.js';

const LIMIT_MS = 180_000;

/** Requests that wait before the first node is started. */
export const backlog: Growth = {
  name: 'backlog',
  of: 'waiting requests',
  steps: [10_000, 100_000, 1_000_000],
  measure: (prepared, count) =>
    within(BenchHarness.open(prepared), async (laboratory) => {
      const { brokers, partitions, generator, modelsFolder } = laboratory;
      const config = laboratory.config();
      const address = addressOf(config.prefix, 'digits');
      await laboratory.createTopics(modelTopics('digits', config));
      const answered = generator.run({
        brokers,
        partitions,
        ...address,
        inflight: count,
        warmUpMs: 0,
        measureMs: 0,
        drainMs: LIMIT_MS,
        workload: createWorkload('avro', 'digits', 1, modelsFolder),
      });
      await untilWaiting(laboratory, address.requestTopic, count);
      const running = await partituraNode(DEFAULT_CLIENT, 'tensorflow', config.prefix).start(
        laboratory,
        'digits',
      );
      const memory = watchMemory(running);
      try {
        const result = await answered;
        return {
          'requests/s': Math.round(result.requestsPerSecond),
          'most memory, MiB': Math.round(memory.most() / 2 ** 20),
          ...troubles(result),
        };
      } finally {
        memory.end();
        await running.stop();
      }
    }),
};

async function untilWaiting(laboratory: BenchHarness, topic: string, count: number): Promise<void> {
  await laboratory.withAdmin((admin) =>
    eventually('the backlog', LIMIT_MS, async () => {
      const offsets = await admin.offsets(topic);
      return offsets.reduce((sum, { end }) => sum + end, 0) >= count;
    }),
  );
}

function watchMemory({ pid }: RunningSystem): { most(): number; end(): void } {
  let most = 0;
  const timer = setInterval(() => (most = Math.max(most, residentBytes(pid))), 50);
  return { most: () => most, end: () => clearInterval(timer) };
}
