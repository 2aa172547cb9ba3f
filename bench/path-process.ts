import { Admission } from '../consumers/requests/admission.js';
import { Batcher } from '../consumers/batching/batcher.js';
import { InFlight } from '../consumers/records/in-flight.js';
import { createNodeMetrics } from '../consumers/records/metrics.js';
import { Destinations } from '../consumers/requests/replies/destinations.js';
import { ReplyPublisher } from '../consumers/requests/replies/publisher.js';
import { NO_SPANS } from '../consumers/records/record-spans.js';
import { RecordConsumer } from '../consumers/records/record-consumer.js';
import { Requests } from '../consumers/requests/requests.js';
import type { EngineResult, EngineTensor, ModelSignature } from '../consumers/engine/engine.js';
import { replyTo } from '../schemas/headers/reply-dialects.js';
import { FakeConsumer } from '../testing/kafka.js';
import { Outbox } from '../kafka/sending/outbox.js';
import type { KafkaProducer, KafkaRecord } from '../kafka/port.js';
import { createLogger } from '../core/log.js';
import { headersToPass } from '../schemas/headers/reply-headers.js';
import { topicNames } from '../cluster/topics.js';
import { ModelCounter } from '../consumers/models/model-counts.js';
import type { ServedVersion } from '../consumers/models/served-version.js';
import { createWorkload } from './workloads.js';

const PARTITIONS = 4;
const RECORDS = 400_000;
const PER_FETCH = 250;
const REPLY_TOPIC = 'bench.digits.replies';
const CLASSES = 10;

const signature: ModelSignature = {
  inputs: [{ name: 'pixels', datatype: 'FP32', shape: [-1, 64] }],
  outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [-1, CLASSES] }],
};

/**
 * Measures the overhead of the request path: all parts of a node between a Kafka client that delivers and acknowledges
 * immediately and an engine that answers immediately. Returns microseconds of this process per request, including garbage
 * collection. Run by the benchmark as a child process with the flags of a node; its argument is the folder of models.
 */
async function measurePath(modelsFolder: string): Promise<number> {
  const consumer = new FakeConsumer();
  const producer = new CountingProducer();
  await startParts(consumer, producer);
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
  consumer.assign('bench.digits.requests', ...partitions);
  const { values } = createWorkload('avro', 'digits', 1, modelsFolder);
  let offset = 0;
  const run = async (count: number): Promise<number> => {
    const before = process.cpuUsage();
    for (let done = 0; done < count; offset += PER_FETCH) {
      for (const partition of partitions) {
        const records = fetched(values, partition, offset);
        done += records.length;
        await consumer.deliver(...records);
      }
      while (producer.taken < offset * PARTITIONS) await new Promise((resolve) => setImmediate(resolve));
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / count;
  };
  await run(RECORDS / 4);
  return run(RECORDS);
}

function fetched(values: readonly Buffer[], partition: number, offset: number): KafkaRecord[] {
  return Array.from({ length: PER_FETCH }, (_, index) => ({
    topic: 'bench.digits.requests',
    partition,
    offset: offset + index,
    key: null,
    value: values[index % values.length] ?? null,
    headers: replyTo(REPLY_TOPIC, partition, String(offset + index)),
    timestamp: 0,
  }));
}

const nothing = (): Promise<void> => Promise.resolve();

/** Acknowledges all records immediately and only counts them. */
class CountingProducer implements KafkaProducer {
  taken = 0;
  readonly connect = nothing;
  readonly close = nothing;

  send(records: readonly unknown[]): Promise<void> {
    this.taken += records.length;
    return nothing();
  }
}

async function startParts(consumer: FakeConsumer, producer: KafkaProducer): Promise<void> {
  const log = createLogger('bench', 'error');
  const metrics = createNodeMetrics({ requests: 0, bytes: 0 });
  const batcher = new Batcher(answerAtOnce, {
    maxBatchRows: 256,
    maxBatchDelayMs: 0,
    parallelism: 1,
    prefetchRows: Infinity,
    batchable: true,
  });
  const batching = { batchable: true, reason: 'assumed by the benchmark' };
  const counter = new ModelCounter(Date.now);
  const version = {
    model: 'digits',
    version: '1',
    signature,
    batching,
    batcher,
    counter,
  } as unknown as ServedVersion;
  const fail = (error: Error): never => {
    throw error;
  };
  const handling = new Requests('digits', {
    node: 'bench',
    admission: new Admission(
      { resolve: () => version },
      { node: 'bench', maxRecordBytes: 1_000_000, isReplyTopicAllowed: () => true, now: Date.now },
    ),
    publisher: new ReplyPublisher(new Outbox(producer), {
      topics: topicNames('bench'),
      node: 'bench',
      spans: NO_SPANS,
      maxRecordBytes: 1_000_000,
      deadLetterHeaders: 'connect',
      passHeaders: headersToPass([]),
      onTopicRefused: () => undefined,
      onStuck: fail,
      onDeadLetter: (reason) => fail(new Error(reason)),
    }),
    destinations: new Destinations(
      { partitionCount: () => Promise.resolve(PARTITIONS) },
      { probeTopic: 'nodes' },
    ),
    now: Date.now,
  });
  const options = {
    model: 'digits',
    group: 'bench',
    ordered: true,
    commitIntervalMs: 500,
    drainTimeoutMs: 1_000,
    now: Date.now,
    onStopped: fail,
  };
  const inFlight = new InFlight(100_000, 1e9).share();
  const requests = new RecordConsumer(consumer, handling, options, {
    inFlight,
    readPositions: () => Promise.resolve([]),
    metrics,
    spans: NO_SPANS,
    log,
  });
  await requests.start();
}

function answerAtOnce([input]: readonly EngineTensor[]): Promise<EngineResult> {
  const rows = input?.shape[0] ?? 0;
  const data = new Uint8Array(rows * CLASSES * 4);
  const output = { name: 'probabilities', datatype: 'FP32' as const, shape: [rows, CLASSES], data };
  return Promise.resolve({ outputs: [output], computeMicros: 1 });
}

// Timers of the parts would keep the process alive.
process.stdout.write(String(await measurePath(process.argv[2] ?? '')), () => process.exit(0));
