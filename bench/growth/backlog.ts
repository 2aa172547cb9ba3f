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

/** Requests queued before the first node starts. */
export const backlog: Growth = {
  name: 'backlog',
  of: 'waiting requests',
  steps: [10_000, 100_000, 1_000_000],
  measure: (prepared, count) =>
    within(BenchHarness.open(prepared), async (harness) => {
      const { brokers, partitions, generator, modelsFolder } = harness;
      const config = harness.config();
      const address = addressOf(config.prefix, 'digits');
      await harness.createTopics(modelTopics('digits', config));
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
      await untilWaiting(harness, address.requestTopic, count);
      const running = await partituraNode(DEFAULT_CLIENT, 'tensorflow', config.prefix).start(
        harness,
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

async function untilWaiting(harness: BenchHarness, topic: string, count: number): Promise<void> {
  await harness.withAdmin((admin) =>
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
