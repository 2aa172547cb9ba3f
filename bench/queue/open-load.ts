import { sleep } from '../../core/time.js';
import { headerText } from '../../schemas/framing/framing.js';
import { decodeReply } from '../../schemas/framing/single-object.js';
import type { KafkaClient, KafkaRecord } from '../../kafka/port.js';
import { Outbox } from '../../kafka/sending/outbox.js';

const TICK_MS = 1;
const DRAIN_LIMIT_MS = 60_000;
const FETCH_MAX_BYTES = 1_000_000;

export interface OpenLoad {
  readonly requestTopic: string;
  readonly replyTopic: string;
  readonly replyPartitions: number;
  readonly requestsPerSecond: number;
  readonly requests: number;
  /** Encoded request, the same each time. */
  readonly value: Buffer;
}

export interface OpenLoadResult {
  /** Times at which requests were due, milliseconds from the start. */
  readonly arrivals: readonly number[];
  /** Time from when a request was due to its reply, milliseconds; only of answered requests. */
  readonly latencies: readonly number[];
  readonly perNode: Readonly<Record<string, number>>;
}

/** Sends requests at random times with a fixed mean rate, however slowly they are answered, as independent callers do. */
export async function openLoad(kafka: KafkaClient, load: OpenLoad): Promise<OpenLoadResult> {
  const producer = kafka.producer();
  await producer.connect();
  const outbox = new Outbox(producer);
  const arrivals = poissonTimes(load.requests, load.requestsPerSecond);
  const answered = new Map<number, { readonly ms: number; readonly node: string }>();
  let began = 0;
  const consumer = await readReplies(kafka, load, (records) => {
    const now = performance.now() - began;
    for (const { headers, value } of records) {
      const index = Number(headerText(headers, 'correlation-id'));
      const { node } = decodeReply(value ?? Buffer.alloc(0));
      if (!answered.has(index)) answered.set(index, { ms: now - (arrivals[index] ?? 0), node: node ?? '' });
    }
  });
  began = performance.now();
  await sendAll(outbox, load, arrivals, began);
  for (let waited = 0; answered.size < load.requests && waited < DRAIN_LIMIT_MS; waited += 100)
    await sleep(100);
  await outbox.close();
  await Promise.all([producer.close(), consumer.close()]);
  const all = [...answered.values()];
  return { arrivals, latencies: all.map(({ ms }) => ms), perNode: counted(all.map(({ node }) => node)) };
}

async function sendAll(
  outbox: Outbox,
  { requestTopic, replyTopic, value }: OpenLoad,
  arrivals: readonly number[],
  began: number,
): Promise<void> {
  for (let next = 0; next < arrivals.length;) {
    const now = performance.now() - began;
    for (; (arrivals[next] ?? Infinity) <= now; next++) {
      const headers = { 'correlation-id': Buffer.from(String(next)), 'reply-to': Buffer.from(replyTopic) };
      outbox.push(
        { topic: requestTopic, key: null, value, headers },
        {
          delivered: () => undefined,
          failed: (error) => {
            throw error;
          },
        },
      );
    }
    await sleep(TICK_MS);
  }
}

async function readReplies(
  kafka: KafkaClient,
  { replyTopic, replyPartitions }: OpenLoad,
  onRecords: (records: readonly KafkaRecord[]) => void,
): Promise<{ close(): Promise<void> }> {
  const consumer = kafka.consumer({
    group: 'bench-open-load',
    topic: replyTopic,
    from: 'latest',
    partitions: Array.from({ length: replyPartitions }, (_, index) => index),
    sessionTimeoutMs: 10_000,
    fetchMaxBytes: FETCH_MAX_BYTES,
  });
  await consumer.start({
    onRecords,
    onAssigned: () => undefined,
    onRevoked: () => Promise.resolve(),
    onCrash: () => undefined,
  });
  return consumer;
}

function poissonTimes(count: number, perSecond: number): number[] {
  let time = 0;
  return Array.from({ length: count }, () => (time -= (Math.log(1 - Math.random()) * 1_000) / perSecond));
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of [...names].sort()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
