import { fileURLToPath } from 'node:url';
import type { Config } from '../../core/config/config.js';
import type { KafkaClientName } from '../../core/config/kafka.js';
import { createKafkaClient } from '../../kafka/client.js';
import { scanRanges, topicRanges } from '../../kafka/reading/scan-topic.js';
import { createLogger } from '../../core/log.js';
import { clusterTopics, modelTopics } from '../../cluster/topic-specs.js';
import { sleep } from '../../core/time.js';
import { topicNames } from '../../cluster/topics.js';
import { checkConfig } from '../../core/config/config.js';
import { startLocalBroker, type LocalBroker } from '../../local-cluster/broker.js';
import { startNodeProcess, type NodeProcess } from '../../local-cluster/role-process.js';
import { headerText } from '../../schemas/framing/framing.js';
import { eventually } from '../eventually.js';
import { residentBytes } from '../processor-time.js';
import { RequestSender } from './request-sender.js';

const MODELS = fileURLToPath(new URL('../../../examples/onnx-models', import.meta.url));
const MODEL = 'digits';
const NODES = 2;
const PARTITIONS = 8;
const WARM_UP_REQUESTS = 200_000;
const KILL_EVERY_MS = 20_000;
const SAMPLE_MS = 250;
const POINT_SECONDS = 5;
const END_LIMIT_MS = 300_000;
const MIB = 2 ** 20;

export interface MemoryResult {
  readonly client: KafkaClientName;
  readonly seconds: number;
  /** Memory of a node after a run of small requests, once the young generation of the runtime has grown. */
  readonly baseMiB: number;
  /** Base plus twice the bytes in flight plus one fetch. */
  readonly limitMiB: number;
  readonly mostMiB: number;
  readonly kills: number;
  readonly requests: number;
  readonly unanswered: number;
  /** Requests answered with an error. */
  readonly refused: number;
  readonly repeated: number;
  /** Maximum of all nodes per interval. */
  readonly curve: readonly { readonly second: number; readonly mostMiB: number }[];
}

/**
 * Measures the memory of two nodes under requests in batches of one, in every codec, some of which decompress to three hundred
 * times their size, while nodes are killed and restarted in turn.
 */
export async function soak(
  client: KafkaClientName,
  minutes: number,
  report: (line: string) => void,
): Promise<MemoryResult> {
  const broker = await startLocalBroker({ heapMb: 1_024 });
  try {
    const config = checkConfig({
      brokers: broker.bootstrap,
      kafkaClient: client,
      models: MODELS,
      partitions: PARTITIONS,
      logLevel: 'error',
    });
    return await new Soak(broker, config, report).run(minutes * 60_000);
  } finally {
    await broker.stop();
  }
}

class Soak {
  readonly #nodes: NodeProcess[] = [];
  readonly #points: number[] = [];
  #kills = 0;
  #base = 0;

  constructor(
    readonly broker: LocalBroker,
    readonly config: Config,
    readonly report: (line: string) => void,
  ) {}

  async run(durationMs: number): Promise<MemoryResult> {
    await this.#createTopics();
    const sender = new RequestSender(this.broker.bootstrap, topicNames(this.config.prefix).requests(MODEL));
    try {
      for (let count = 0; count < NODES; count++) await this.#startNode();
      await sender.connect();
      await sender.warmUp(WARM_UP_REQUESTS, PARTITIONS);
      await this.#untilAnswered();
      this.#base = Math.max(...this.#nodes.map(({ pid }) => residentBytes(pid)));
      this.report(`base ${Math.round(this.#base / MIB)} MiB`);
      const began = performance.now();
      const sampling = setInterval(() => this.#sample(performance.now() - began), SAMPLE_MS);
      const killing = this.#killNow(began + durationMs);
      const requests = await sender.sendUntil(began + durationMs, PARTITIONS);
      await killing;
      await this.#untilAnswered();
      clearInterval(sampling);
      return await this.#result(durationMs / 1_000, requests);
    } finally {
      sender.close();
      await Promise.all(this.#nodes.map((node) => node.stop()));
    }
  }

  async #createTopics(): Promise<void> {
    const admin = this.#kafka().admin();
    await admin.connect();
    await admin.createTopics([...clusterTopics(this.config), ...modelTopics(MODEL, this.config)]);
    await admin.close();
  }

  #kafka(): ReturnType<typeof createKafkaClient> {
    return createKafkaClient(this.config, 'memory', createLogger('memory', 'error'));
  }

  async #startNode(): Promise<void> {
    this.#nodes.push(await startNodeProcess(this.config, { log: this.report }));
  }

  /** Kills nodes in turn, the oldest first. */
  async #killNow(until: number): Promise<void> {
    for (let next = performance.now() + KILL_EVERY_MS; next < until; next += KILL_EVERY_MS) {
      await sleep(next - performance.now());
      this.#nodes.shift()?.kill('SIGKILL');
      this.#kills++;
      await this.#startNode();
    }
  }

  #sample(elapsedMs: number): void {
    const most = Math.max(...this.#nodes.map(({ pid }) => residentBytes(pid) || 0));
    const point = Math.floor(elapsedMs / 1_000 / POINT_SECONDS);
    if (this.#points[point] === undefined && point > 0)
      this.report(`${point * POINT_SECONDS} s  ${Math.round((this.#points[point - 1] ?? 0) / MIB)} MiB`);
    this.#points[point] = Math.max(this.#points[point] ?? 0, most);
  }

  async #untilAnswered(): Promise<void> {
    const topics = topicNames(this.config.prefix);
    const admin = this.#kafka().admin();
    await admin.connect();
    try {
      await eventually('all requests answered', END_LIMIT_MS, async () => {
        const committed = new Map(
          (await admin.committed(topics.group(MODEL), topics.requests(MODEL))).map((one) => [
            one.partition,
            one.offset,
          ]),
        );
        const ends = await admin.offsets(topics.requests(MODEL));
        return ends.every(({ partition, end }) => (committed.get(partition) ?? 0) >= end);
      });
    } finally {
      await admin.close();
    }
  }

  async #result(seconds: number, requests: number): Promise<MemoryResult> {
    const { maxInflightBytes, fetchMaxBytes, kafkaClient: client } = this.config;
    const { answered, refused, replies } = await this.#countReplies(requests);
    const mib = (bytes: number): number => Math.round(bytes / MIB);
    return {
      client,
      seconds,
      baseMiB: mib(this.#base),
      limitMiB: mib(this.#base + 2 * maxInflightBytes + fetchMaxBytes),
      mostMiB: mib(Math.max(...this.#points.filter((point) => point !== undefined))),
      kills: this.#kills,
      requests,
      unanswered: requests - answered,
      refused,
      repeated: replies - answered,
      curve: this.#points.map((most, index) => ({ second: index * POINT_SECONDS, mostMiB: mib(most) })),
    };
  }

  async #countReplies(requests: number): Promise<{ answered: number; refused: number; replies: number }> {
    const kafka = this.#kafka();
    const topic = topicNames(this.config.prefix).replies(MODEL);
    const admin = kafka.admin();
    await admin.connect();
    const ranges = await topicRanges(admin, topic).finally(() => admin.close());
    const seen = new Uint8Array(requests);
    let [replies, refused] = [0, 0];
    await scanRanges(kafka, topic, ranges ?? [], {
      limitMs: 30_000,
      fetchMaxBytes: this.config.fetchMaxBytes,
      onRecords: (records) => {
        for (const { headers } of records) {
          const error = headerText(headers, 'inference-error');
          if (error !== undefined) {
            refused++;
            this.report(`refused: ${error}`);
          }
          seen[Number(headerText(headers, 'correlation-id'))] = 1;
          replies++;
        }
      },
    });
    return { answered: seen.reduce((sum, one) => sum + one, 0), refused, replies };
  }
}
