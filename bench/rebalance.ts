import { join } from 'node:path';
import { sleep } from '../core/time.js';
import type { ConfigInput } from '../core/config/config.js';
import { startNodeProcess, type NodeProcess } from '../local-cluster/role-process.js';
import { BenchHarness, type Prepared } from './harness.js';
import { addressOf } from './systems/system.js';
import { createWorkload } from './workloads.js';

const EVENT_AFTER_MS = 4_000;
const MEASURE_MS = 20_000;
/** Longer than the session timeout after which a killed node is detected: 45 s with KIP-848. */
const DRAIN_MS = 90_000;
const INFLIGHT = 64;

/** Clients and group protocols. */
const MEMBERSHIPS: Readonly<Record<string, ConfigInput>> = {
  kafkajs: { kafkaClient: 'kafkajs' },
  native: { kafkaClient: 'native' },
  'native, KIP-848': { kafkaClient: 'native', kafkaGroupProtocol: 'consumer' },
};

const EVENTS = ['join', 'leave', 'die'] as const;
type Event = (typeof EVENTS)[number];

export interface RebalanceResult {
  readonly membership: string;
  readonly event: Event;
  /** Longest time without any reply, while a node joins or leaves two others. */
  readonly longestGapMs: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly wrong: number;
}

/** Measures the time without service when a node joins, leaves or dies, with 64 requests in flight on all partitions. */
export async function measureRebalances(
  prepared: Prepared,
  report: (line: string) => void,
): Promise<RebalanceResult[]> {
  const results: RebalanceResult[] = [];
  for (const [membership, config] of Object.entries(MEMBERSHIPS))
    for (const event of EVENTS) {
      const result = { membership, event, ...(await measureOne(prepared, config, event)) };
      results.push(result);
      report(
        `${membership.padEnd(22)} ${event.padEnd(6)} longest gap ${result.longestGapMs.toFixed(0)} ms, late ${result.lost}, duplicate ${result.duplicates}`,
      );
    }
  return results;
}

async function measureOne(
  prepared: Prepared,
  membership: ConfigInput,
  event: Event,
): Promise<Omit<RebalanceResult, 'membership' | 'event'>> {
  const harness = await BenchHarness.open(prepared);
  const models = join(harness.modelsFolder, 'onnx-digits');
  const config = harness.config({ ...membership, models });
  const nodes: NodeProcess[] = [];
  const startNode = async (): Promise<void> =>
    void nodes.push(await startNodeProcess(config, { log: () => undefined }));
  try {
    await startNode();
    await startNode();
    const answered = harness.generator.run({
      brokers: harness.brokers,
      partitions: harness.partitions,
      ...addressOf(config.prefix, 'digits'),
      inflight: INFLIGHT,
      warmUpMs: EVENT_AFTER_MS / 2,
      measureMs: MEASURE_MS,
      drainMs: DRAIN_MS,
      workload: createWorkload('avro', 'digits', 1, harness.modelsFolder),
    });
    await sleep(EVENT_AFTER_MS);
    if (event === 'join') await startNode();
    else if (event === 'leave') await nodes.pop()?.stop();
    else nodes.pop()?.kill('SIGKILL');
    const { longestGapMs, lost, duplicates, wrong } = await answered;
    return { longestGapMs, lost, duplicates, wrong };
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
    await harness.close();
  }
}
