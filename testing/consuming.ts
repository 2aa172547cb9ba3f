import type { TestContext } from 'node:test';
import { FakeConsumer, FakeProducer } from './kafka.js';
import { Outbox, OUTBOX_DEFAULTS } from '../kafka/sending/outbox.js';
import type { CommittedPosition, KafkaRecord, Position } from '../kafka/port.js';
import { headersToPass } from '../schemas/headers/reply-headers.js';
import { replyTopicPolicy, topicNames } from '../cluster/topics.js';
import { decodeReply, encodeRequest } from '../schemas/framing/index.js';
import { exampleRequest } from './requests.js';
import { Admission, type Admitted } from '../consumers/requests/admission.js';
import { Batcher } from '../consumers/batching/batcher.js';
import { systemClock } from '../consumers/batching/clock.js';
import { InFlight, type InFlightShare } from '../consumers/records/in-flight.js';
import { suspectLimits } from '../consumers/models/isolated-model.js';
import { ModelCounter } from '../consumers/models/model-counts.js';
import { NO_SPANS } from '../consumers/records/record-spans.js';
import { createNodeMetrics, type NodeMetrics } from '../consumers/records/metrics.js';
import { Destinations } from '../consumers/requests/replies/destinations.js';
import type { Outcome } from '../consumers/requests/replies/outcome.js';
import { ReplyPublisher } from '../consumers/requests/replies/publisher.js';
import { RecordConsumer } from '../consumers/records/record-consumer.js';
import { Requests, type RequestParts } from '../consumers/requests/requests.js';
import { DIGITS, HeldEngine, exampleRecord, settle, silent } from './records.js';

export const TOPIC = 'p.digits.requests';
const AN_HOUR_MS = 60 * 60_000;

export interface Setting {
  readonly drainTimeoutMs?: number;
  readonly maxRequests?: number;
  readonly ordered?: boolean;
  readonly schemas?: RequestParts['schemas'];
  /** Positions of the group before the consumer starts. */
  readonly committed?: readonly CommittedPosition[];
}

/** A consumer with real parts, except for Kafka and the engine, whose batches of one row wait for the test. */
export interface Consuming extends RequestSetting {
  readonly kafka: FakeConsumer;
  readonly consumer: RecordConsumer<Admitted, Outcome>;
}

/** The parts of a node behind a consumer. */
export interface RequestSetting {
  readonly producer: FakeProducer;
  readonly engine: HeldEngine;
  readonly suspectEngine: HeldEngine;
  readonly requests: Requests;
  readonly inFlight: InFlightShare;
  readonly metrics: NodeMetrics;
  /** Errors that stopped the consumer. */
  readonly stopped: Error[];
  /** The test's clock. */
  readonly state: { now: number };
  /** Answers batches by index and waits for the consequences. */
  readonly answer: (...indexes: number[]) => Promise<void>;
  /** Answers everything that is being computed, suspects included. */
  readonly answerAll: () => Promise<void>;
  /** Returns the ids of the published replies. */
  readonly repliesTo: () => string[];
}

export async function consuming(context: TestContext, setting: Setting = {}): Promise<Consuming> {
  const { drainTimeoutMs = AN_HOUR_MS, ordered = true, committed = [] } = setting;
  const kafka = new FakeConsumer();
  const parts = requestSetting(setting);
  const { requests, inFlight, metrics, stopped, state } = parts;
  const options = {
    model: 'digits',
    group: 'p.digits',
    ordered,
    commitIntervalMs: AN_HOUR_MS,
    drainTimeoutMs,
    now: () => state.now,
    onStopped: (error: Error) => stopped.push(error),
  };
  const consumer = new RecordConsumer(kafka, requests, options, {
    inFlight,
    readPositions: () => Promise.resolve(committed),
    metrics,
    spans: NO_SPANS,
    log: silent,
  });
  await consumer.start();
  kafka.assign(TOPIC, 0);
  context.after(async () => {
    await parts.answerAll();
    await consumer.close();
  });
  return { kafka, consumer, ...parts };
}

export function requestSetting({ maxRequests = 100, schemas }: Setting = {}): RequestSetting {
  const producer = new FakeProducer();
  const engine = new HeldEngine();
  const inFlight = new InFlight(maxRequests, 1_000_000).share();
  const metrics = createNodeMetrics(inFlight);
  const stopped: Error[] = [];
  const state = { now: 0 };
  // Deadlines follow the test's clock; by the real one, the batcher would refuse them all.
  const clock = { ...systemClock, wallTime: () => state.now };
  const limits = {
    maxBatchRows: 1,
    maxBatchDelayMs: 0,
    parallelism: 100,
    prefetchRows: Infinity,
    batchable: true,
  };
  const batcher = new Batcher(engine.run, limits, { clock });
  const suspectEngine = new HeldEngine();
  const suspects = new Batcher(suspectEngine.run, suspectLimits(limits), { clock });
  const version = {
    model: 'digits',
    version: '1',
    signature: DIGITS,
    signatureNames: undefined,
    backend: 'wasm' as const,
    trialMs: 0,
    isPostponed: false,
    stayUnbatched: () => undefined,
    batching: { batchable: true, reason: 'a test says so' },
    batcher,
    suspects,
    counter: new ModelCounter(Date.now),
    fallbackReason: undefined,
    measured: null,
    warmUpProblem: undefined,
    retire: () => Promise.resolve(),
  };
  const outbox = new Outbox(producer, { ...OUTBOX_DEFAULTS, retryLimitMs: 0 });
  const requests = new Requests('digits', {
    node: 'n',
    admission: new Admission(
      { resolve: () => version },
      { node: 'n', maxRecordBytes: 1_000, isReplyTopicAllowed: replyTopicPolicy([]), now: () => state.now },
    ),
    publisher: new ReplyPublisher(outbox, {
      topics: topicNames('p'),
      node: 'n',
      spans: NO_SPANS,
      maxRecordBytes: 1_000,
      deadLetterHeaders: 'connect',
      passHeaders: headersToPass([]),
      onTopicRefused: () => undefined,
      onStuck: (error) => stopped.push(error),
      onDeadLetter: () => undefined,
    }),
    destinations: new Destinations(
      { partitionCount: (topic) => Promise.resolve(topic === 'my.replies' ? 2 : undefined) },
      { probeTopic: 'p.nodes' },
    ),
    schemas,
    now: () => state.now,
  });
  const answer = async (...indexes: number[]): Promise<void> => {
    await settle();
    for (const index of indexes) {
      engine.batches[index]?.echo();
      await settle();
    }
  };
  const answerAll = async (): Promise<void> => {
    await answer(...engine.batches.keys());
    for (let index = 0; index < suspectEngine.batches.length; index++) {
      suspectEngine.batches[index]?.echo();
      await settle();
    }
  };
  const repliesTo = (): string[] =>
    producer.taken.map(({ value }) => decodeReply(value ?? Buffer.alloc(0)).id);
  return {
    producer,
    engine,
    suspectEngine,
    requests,
    inFlight,
    metrics,
    stopped,
    state,
    answer,
    answerAll,
    repliesTo,
  };
}

/** Positions committed past the one at which the partition was opened. */
export function moves(kafka: FakeConsumer): Omit<Position, 'metadata'>[] {
  const positions = kafka.commits.flat();
  const opened = positions[0]?.offset ?? 0;
  return positions
    .filter(({ offset }) => offset > opened)
    .map(({ topic, partition, offset }) => ({ topic, partition, offset }));
}

export const request = (offset: number, changes: Partial<KafkaRecord> = {}): KafkaRecord =>
  exampleRecord({
    topic: TOPIC,
    offset,
    value: encodeRequest(exampleRequest({ id: `r${offset}` })),
    ...changes,
  });
