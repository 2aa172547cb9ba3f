import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { FakeConsumer, FakeProducer } from '../../testing/kafka.js';
import { Outbox, OUTBOX_DEFAULTS } from '../../kafka/sending/outbox.js';
import { KafkaError, type CommittedPosition, type KafkaRecord, type Position } from '../../kafka/port.js';
import { headersToPass } from '../../schemas/headers/reply-headers.js';
import { replyTopicPolicy, topicNames } from '../../cluster/topics.js';
import { decodeReply, encodeRequest } from '../../schemas/framing/index.js';
import { PartituraError } from '../../schemas/errors.js';
import { exampleRequest } from '../../testing/requests.js';
import { Admission } from '../requests/admission.js';
import { Batcher } from '../batching/batcher.js';
import { systemClock } from '../batching/clock.js';
import { ISOLATION_MS } from './crash-count.js';
import { InFlight } from './in-flight.js';
import { suspectLimits } from '../models/isolated-model.js';
import { NO_SPANS } from './record-spans.js';
import { createNodeMetrics } from './metrics.js';
import { Destinations } from '../requests/replies/destinations.js';
import { ReplyPublisher } from '../requests/replies/publisher.js';
import { RecordConsumer } from './record-consumer.js';
import { Requests, type RequestParts } from '../requests/requests.js';
import { DIGITS, HeldEngine, exampleRecord, settle, silent } from '../../testing/records.js';

const TOPIC = 'p.digits.requests';
const AN_HOUR_MS = 60 * 60_000;

interface Setting {
  readonly drainTimeoutMs?: number;
  readonly maxRequests?: number;
  readonly ordered?: boolean;
  readonly schemas?: RequestParts['schemas'];
  /** Positions of the group before the consumer starts. */
  readonly committed?: readonly CommittedPosition[];
}

/** A consumer with everything real around it, but for Kafka and the engine, whose batches of one row wait for the test. */
async function consuming(
  context: TestContext,
  { drainTimeoutMs = AN_HOUR_MS, maxRequests = 100, ordered = true, schemas, committed = [] }: Setting = {},
) {
  const kafka = new FakeConsumer();
  const producer = new FakeProducer();
  const engine = new HeldEngine();
  const inFlight = new InFlight(maxRequests, 1_000_000).share();
  const metrics = createNodeMetrics(inFlight);
  const stopped: Error[] = [];
  const state = { now: 0 };
  // Deadlines are told by the test's clock alone: by the real one, the batcher would refuse them all.
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
    batching: { batchable: true, reason: 'a test says so' },
    batcher,
    suspects,
    fallbackReason: undefined,
    measured: null,
    warmUpProblem: undefined,
    retire: () => Promise.resolve(),
  };
  const outbox = new Outbox(producer, { ...OUTBOX_DEFAULTS, retryLimitMs: 0 });
  const handling = new Requests('digits', {
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
  const options = {
    model: 'digits',
    group: 'p.digits',
    ordered,
    commitIntervalMs: AN_HOUR_MS,
    drainTimeoutMs,
    now: () => state.now,
    onStopped: (error: Error) => stopped.push(error),
  };
  const consumer = new RecordConsumer(kafka, handling, options, {
    inFlight,
    readPositions: () => Promise.resolve(committed),
    metrics,
    spans: NO_SPANS,
    log: silent,
  });
  await consumer.start();
  kafka.assign(TOPIC, 0);
  /** Answers the batch that came as number `index`, and lets everything happen that follows. */
  const answer = async (...indexes: number[]): Promise<void> => {
    await settle();
    for (const index of indexes) {
      engine.batches[index]?.echo();
      await settle();
    }
  };
  context.after(async () => {
    await answer(...engine.batches.keys());
    for (let index = 0; index < suspectEngine.batches.length; index++) {
      suspectEngine.batches[index]?.echo();
      await settle();
    }
    await consumer.close();
  });
  const repliesTo = (): string[] =>
    producer.taken.map(({ value }) => decodeReply(value ?? Buffer.alloc(0)).id);
  return {
    kafka,
    producer,
    engine,
    suspectEngine,
    consumer,
    inFlight,
    metrics,
    stopped,
    state,
    answer,
    repliesTo,
  };
}

/** Positions committed past the one at which the partition was opened. */
function moves(kafka: FakeConsumer): Omit<Position, 'metadata'>[] {
  const positions = kafka.commits.flat();
  const opened = positions[0]?.offset ?? 0;
  return positions
    .filter(({ offset }) => offset > opened)
    .map(({ topic, partition, offset }) => ({ topic, partition, offset }));
}

const request = (offset: number, changes: Partial<KafkaRecord> = {}): KafkaRecord =>
  exampleRecord({
    topic: TOPIC,
    offset,
    value: encodeRequest(exampleRequest({ id: `r${offset}` })),
    ...changes,
  });

test('replies leave in the order of their requests, and the commit goes up to the lowest unfinished', async (context) => {
  const { kafka, consumer, answer, repliesTo } = await consuming(context);
  await kafka.deliver(request(5), request(6), request(7));
  await answer(1);
  assert.deepEqual(repliesTo(), []);
  await answer(0);
  assert.deepEqual(repliesTo(), ['r5', 'r6']);
  const closing = consumer.close();
  await answer(2);
  await closing;
  assert.deepEqual(repliesTo(), ['r5', 'r6', 'r7']);
  assert.deepEqual(moves(kafka), [{ topic: TOPIC, partition: 0, offset: 8 }]);
});

test('what is not finished in time when partitions go is not committed, nor anything after it', async (context) => {
  const { kafka, answer } = await consuming(context, { drainTimeoutMs: 1, ordered: false });
  await kafka.deliver(request(5), request(6), request(7));
  await answer(0, 2);
  await kafka.revoke();
  assert.deepEqual(moves(kafka), [{ topic: TOPIC, partition: 0, offset: 6 }]);
});

test('an outcome that the broker did not take is not committed', async (context) => {
  const { kafka, producer, stopped, answer } = await consuming(context, { drainTimeoutMs: 1 });
  producer.refuse = () => new KafkaError('unavailable', 'away');
  await kafka.deliver(request(5));
  await answer(0);
  await kafka.revoke();
  assert.deepEqual(moves(kafka), []);
  assert.deepEqual(
    stopped.map(({ message }) => message),
    ['away'],
  );
});

test('when partitions go, what is under way is finished and committed first', async (context) => {
  const { kafka, consumer, answer, repliesTo } = await consuming(context);
  await kafka.deliver(request(5));
  const revoked = kafka.revoke();
  await settle();
  assert.deepEqual([moves(kafka), consumer.owned.length], [[], 1]);
  await answer(0);
  await revoked;
  assert.deepEqual([repliesTo(), moves(kafka).length, consumer.owned.length], [['r5'], 1, 0]);
});

test('a result for a partition that was lost is dropped: its next owner answers', async (context) => {
  const { kafka, inFlight, answer, repliesTo } = await consuming(context, { drainTimeoutMs: 1 });
  await kafka.deliver(request(5), request(6));
  await answer(1);
  await kafka.revoke();
  assert.equal(inFlight.requests, 1);
  await answer(0);
  assert.deepEqual([repliesTo(), inFlight.requests, inFlight.bytes], [[], 0, 0]);
});

test('a partition that comes back is begun anew, without the results of before', async (context) => {
  const { kafka, inFlight, consumer, answer, repliesTo } = await consuming(context, { drainTimeoutMs: 1 });
  await kafka.deliver(request(5));
  await kafka.revoke();
  kafka.assign(TOPIC, 0);
  await kafka.deliver(request(5));
  await answer(0);
  assert.deepEqual(repliesTo(), []);
  await answer(1);
  assert.deepEqual([repliesTo(), inFlight.requests], [['r5'], 0]);
  await consumer.close();
  assert.deepEqual(moves(kafka), [{ topic: TOPIC, partition: 0, offset: 6 }]);
});

test('a partition that is assigned again without having been taken away leaves nothing behind', async (context) => {
  const { kafka, inFlight, answer, repliesTo } = await consuming(context);
  await kafka.deliver(request(5), request(6));
  await answer(1);
  kafka.assign(TOPIC, 0);
  await answer(0);
  assert.deepEqual([repliesTo(), inFlight.requests, inFlight.bytes], [[], 0, 0]);
});

test('a record that is delivered again while it is under way is answered once', async (context) => {
  const { kafka, engine, answer, repliesTo } = await consuming(context);
  await kafka.deliver(request(5));
  await kafka.deliver(request(5), request(6));
  await settle();
  assert.equal(engine.batches.length, 2);
  await answer(0, 1);
  assert.deepEqual(repliesTo(), ['r5', 'r6']);
});

test('fetching is held back while too much is in the node', async (context) => {
  const { kafka, answer } = await consuming(context, { maxRequests: 2 });
  let goesOn = false;
  void kafka.deliver(request(5), request(6)).then(() => (goesOn = true));
  await settle();
  assert.equal(goesOn, false);
  await answer(0);
  assert.equal(goesOn, false);
  await answer(1);
  assert.equal(goesOn, true);
});

test('after it began to close nothing more is taken', async (context) => {
  const { kafka, consumer, engine, answer } = await consuming(context);
  await kafka.deliver(request(5));
  const closing = consumer.close();
  const held = kafka.deliver(request(6));
  await answer(0);
  await closing;
  await held;
  assert.equal(engine.batches.length, 1);
  assert.deepEqual(moves(kafka), [{ topic: TOPIC, partition: 0, offset: 6 }]);
});

test('closing twice is closing once, and both wait for the end', async (context) => {
  const { kafka, consumer, answer } = await consuming(context);
  await kafka.deliver(request(5));
  const ends: string[] = [];
  const closing = [consumer.close().then(() => ends.push('a')), consumer.close().then(() => ends.push('b'))];
  await settle();
  assert.deepEqual(ends, []);
  await answer(0);
  await Promise.all(closing);
  assert.equal(kafka.closed, 1);
});

test('a commit that failed is made up for', async (context) => {
  const { kafka, answer } = await consuming(context);
  await kafka.deliver(request(5));
  await answer(0);
  kafka.refuseCommit = new KafkaError('rebalanced', 'moved on');
  await kafka.revoke();
  assert.deepEqual(moves(kafka), []);
  kafka.refuseCommit = undefined;
  kafka.assign(TOPIC, 0);
  await kafka.deliver(request(5));
  await answer(1);
  await kafka.revoke();
  assert.deepEqual(moves(kafka), [{ topic: TOPIC, partition: 0, offset: 6 }]);
});

test('tombstones and refusals are finished without the engine, and counted', async (context) => {
  const { kafka, consumer, engine, metrics } = await consuming(context);
  await kafka.deliver(request(5, { value: null }), request(6, { value: Buffer.from('garbage') }));
  await settle();
  await consumer.close();
  assert.equal(engine.batches.length, 0);
  assert.deepEqual(moves(kafka), [{ topic: TOPIC, partition: 0, offset: 7 }]);
  const counted = (await metrics.requests.get()).values.map(({ labels, value }) => [labels.outcome, value]);
  assert.deepEqual(counted, [
    ['tombstone', 1],
    ['DECODE_FAILED', 1],
  ]);
});

const LEFT_AT_5: CommittedPosition = {
  partition: 0,
  offset: 5,
  metadata: 'partitura owners=1 until=7 isolated=0',
};

test('what the last owner may have crashed on is computed apart, what is behind it as ever', async (context) => {
  const { kafka, engine, suspectEngine } = await consuming(context, { committed: [LEFT_AT_5] });
  await kafka.deliver(request(5), request(6), request(7));
  await settle();
  assert.deepEqual([engine.batches.length, suspectEngine.batches.length], [1, 1]);
  suspectEngine.batches[0]?.echo();
  await settle();
  assert.equal(suspectEngine.batches.length, 2);
});

test('no record is computed before the position is marked as that of an owner more', async (context) => {
  const { kafka, suspectEngine, state } = await consuming(context, { committed: [LEFT_AT_5] });
  kafka.refuseCommit = new KafkaError('unavailable', 'away');
  const delivered = kafka.deliver(request(5), request(6));
  await settle();
  assert.equal(suspectEngine.batches.length, 0);
  kafka.refuseCommit = undefined;
  await delivered;
  await settle();
  assert.equal(suspectEngine.batches.length, 1);
  assert.deepEqual(kafka.commits, [
    [{ topic: TOPIC, partition: 0, offset: 5, metadata: 'partitura owners=2 until=4005 isolated=0' }],
  ]);
  assert.equal(state.now, 0);
});

test('a partition that is given up in order bears no mark, but for suspects that are not finished', async (context) => {
  const clean = await consuming(context);
  await clean.kafka.deliver(request(5));
  await clean.answer(0);
  await clean.kafka.revoke();
  assert.deepEqual(clean.kafka.commits.at(-1), [{ topic: TOPIC, partition: 0, offset: 6, metadata: '' }]);
  const suspect = await consuming(context, { committed: [LEFT_AT_5], drainTimeoutMs: 1 });
  await suspect.kafka.deliver(request(5), request(6), request(7));
  await settle();
  suspect.suspectEngine.batches[0]?.echo();
  await settle();
  await suspect.kafka.revoke();
  assert.deepEqual(suspect.kafka.commits.at(-1), [
    { topic: TOPIC, partition: 0, offset: 6, metadata: 'partitura owners=1 until=7 isolated=0' },
  ]);
});

test('a request that crashes its process becomes a dead letter, with an error reply where one was asked for', async (context) => {
  const { kafka, producer, suspectEngine } = await consuming(context, { committed: [LEFT_AT_5] });
  await kafka.deliver(request(5, { headers: { 'reply-to': Buffer.from('my.replies') } }));
  await settle();
  for (const death of [0, 1]) {
    suspectEngine.batches[death]?.fail(new PartituraError('MODEL_CRASHED', 'ended with SIGFPE'));
    await settle();
  }
  assert.deepEqual(
    producer.taken.map(({ topic, headers }) => [topic, String(headers['inference-error'])]),
    [
      ['p.digits.requests-dlt', 'MODEL_CRASHED'],
      ['my.replies', 'MODEL_CRASHED'],
    ],
  );
});

test('after a crash all requests are computed apart for a while, and the marks tell the other nodes', async (context) => {
  const { kafka, engine, suspectEngine, state } = await consuming(context, { committed: [LEFT_AT_5] });
  state.now = 1_000;
  await kafka.deliver(request(5));
  await settle();
  for (const death of [0, 1]) {
    suspectEngine.batches[death]?.fail(new PartituraError('MODEL_CRASHED', 'ended with SIGFPE'));
    await settle();
  }
  assert.match(kafka.commits.at(-1)?.[0]?.metadata ?? '', /^partitura owners=\d until=\d+ isolated=601000$/);
  await kafka.deliver(request(8));
  await settle();
  assert.deepEqual([engine.batches.length, suspectEngine.batches.length], [0, 3]);
  state.now += ISOLATION_MS;
  await kafka.deliver(request(9));
  await settle();
  assert.equal(engine.batches.length, 1);
});

test('a node that opens a partition learns from the marks of others that a request crashed', async (context) => {
  const elsewhere = { partition: 3, offset: 0, metadata: 'partitura owners=0 until=0 isolated=5000' };
  const { kafka, engine, suspectEngine } = await consuming(context, { committed: [elsewhere] });
  await kafka.deliver(request(5));
  await settle();
  assert.deepEqual([engine.batches.length, suspectEngine.batches.length], [0, 1]);
});

test('a reply that has nowhere to go becomes a dead letter', async (context) => {
  const { kafka, producer, answer } = await consuming(context);
  const asking = (topic: string, partition: string): Partial<KafkaRecord> => ({
    headers: { 'reply-to': Buffer.from(topic), 'reply-partition': Buffer.from(partition) },
  });
  await kafka.deliver(
    request(5, asking('no.replies', '0')),
    request(6, asking('my.replies', '2')),
    request(7, asking('my.replies', '1')),
  );
  await answer(0, 1, 2);
  assert.deepEqual(
    producer.taken.map(({ topic }) => topic),
    [`${TOPIC}-dlt`, `${TOPIC}-dlt`, 'my.replies'],
  );
});

test('a result that comes after its deadline is not sent; that there was no time is told at once', async (context) => {
  const { kafka, producer, state, answer } = await consuming(context);
  const value = encodeRequest(exampleRequest({ id: 'late', deadline: 10 }));
  await kafka.deliver(request(5), request(6, { value }));
  state.now = 11;
  await answer(1);
  const [reply] = producer.taken.map((record) => decodeReply(record.value ?? Buffer.alloc(0)));
  assert.deepEqual([reply?.id, reply?.error?.code, reply?.outputs.length], ['late', 'DEADLINE_EXCEEDED', 0]);
});

test('a result that waits for earlier ones until its deadline has passed is not sent', async (context) => {
  const { kafka, producer, state, answer } = await consuming(context);
  const value = encodeRequest(exampleRequest({ id: 'late', deadline: 10 }));
  await kafka.deliver(request(5), request(6, { value }));
  await answer(1);
  assert.equal(producer.taken.length, 0);
  state.now = 11;
  await answer(0);
  const replies = producer.taken.map((record) => decodeReply(record.value ?? Buffer.alloc(0)));
  assert.deepEqual(
    replies.map(({ error, outputs }) => [error?.code, outputs.length]),
    [
      [undefined, 1],
      ['DEADLINE_EXCEEDED', 0],
    ],
  );
});

test('a reply says which version and node gave it, and in what company', async (context) => {
  const { kafka, producer, answer } = await consuming(context);
  await kafka.deliver(request(5));
  await answer(0);
  const [reply] = producer.taken.map((record) => decodeReply(record.value ?? Buffer.alloc(0)));
  assert.deepEqual(
    [reply?.modelVersion, reply?.node, reply?.timing?.batchSize, reply?.outputs.map(({ name }) => name)],
    ['1', 'n', 1, ['pixels']],
  );
});

test('a consumer that ends by itself is reported', async (context) => {
  const { kafka, stopped } = await consuming(context);
  kafka.crash(new KafkaError('not-authorized', 'no longer allowed'));
  assert.deepEqual(
    stopped.map(({ message }) => message),
    ['no longer allowed'],
  );
});

test('records that could not be read become one dead letter without value, and are committed once that is there', async (context) => {
  const { kafka, producer, consumer } = await consuming(context);
  kafka.stepOver({ topic: TOPIC, partition: 0, offset: 3, lastOffset: 7 }, 'wrong checksum');
  await settle();
  const [letter] = producer.taken;
  assert.deepEqual([letter?.topic, letter?.value], [topicNames('p').deadLetters('digits'), null]);
  assert.match(String(Object.values(letter?.headers ?? {})), /offsets 3 to 7 cannot be read: wrong checksum/);
  assert.ok(letter?.headers['__connect.errors.value.dropped'], 'it is not taken for a tombstone');
  await consumer.close();
  assert.deepEqual(moves(kafka), [{ topic: TOPIC, partition: 0, offset: 8 }]);
});

/** Look-ups of the schemas of requests whose header `schema` names one, which wait for the test. */
class HeldSchemas {
  readonly #known = new Set<string>();
  readonly #waiting: { readonly name: string; readonly resolve: () => void }[] = [];
  asked = 0;

  lookUp(_value: Buffer | null, { schema }: KafkaRecord['headers']): Promise<void> | undefined {
    const name = schema === undefined ? undefined : String(schema);
    if (name === undefined || this.#known.has(name)) return undefined;
    this.asked++;
    return new Promise((resolve) => this.#waiting.push({ name, resolve }));
  }

  async tell(name: string): Promise<void> {
    this.#known.add(name);
    for (const waiting of this.#waiting) if (waiting.name === name) waiting.resolve();
    await settle();
  }
}

const needing = (offset: number, schema: string, changes: Partial<KafkaRecord> = {}): KafkaRecord =>
  request(offset, { headers: { schema: Buffer.from(schema) }, ...changes });

test('a record whose schema has to be looked up holds its partition back, with all behind it, and no other', async (context) => {
  const schemas = new HeldSchemas();
  const { kafka, consumer, inFlight, answer, repliesTo } = await consuming(context, { schemas });
  kafka.assign(TOPIC, 0, 1);
  await kafka.deliver(request(5), needing(6, 'a'), request(7));
  assert.deepEqual([...kafka.paused], [0]);
  assert.equal(inFlight.requests, 1);
  await kafka.deliver(request(8));
  await kafka.deliver(request(3, { partition: 1, value: encodeRequest(exampleRequest({ id: 'other' })) }));
  await answer(0, 1);
  assert.deepEqual(repliesTo(), ['r5', 'other']);
  await schemas.tell('a');
  assert.deepEqual([...kafka.paused], []);
  await answer(2, 3, 4);
  assert.deepEqual(repliesTo(), ['r5', 'other', 'r6', 'r7', 'r8']);
  await consumer.close();
  assert.deepEqual(
    kafka.commits.at(-1)?.map(({ partition, offset }) => [partition, offset]),
    [
      [0, 9],
      [1, 4],
    ],
  );
});

test('a partition that waited for one schema may have to wait for the next', async (context) => {
  const schemas = new HeldSchemas();
  const { kafka, answer, repliesTo } = await consuming(context, { schemas });
  await kafka.deliver(needing(5, 'a'), needing(6, 'a'), needing(7, 'b'), request(8));
  assert.equal(schemas.asked, 1);
  await schemas.tell('a');
  assert.deepEqual([schemas.asked, ...kafka.paused], [2, 0]);
  await schemas.tell('b');
  await answer(0, 1, 2, 3);
  assert.deepEqual(repliesTo(), ['r5', 'r6', 'r7', 'r8']);
  assert.deepEqual([...kafka.paused], []);
});

test('a partition that goes while it waits is not held on to, and is not paused when it comes back', async (context) => {
  const schemas = new HeldSchemas();
  const { kafka, engine, inFlight, answer, repliesTo } = await consuming(context, { schemas });
  await kafka.deliver(request(5), needing(6, 'a'), request(7));
  await answer(0);
  await kafka.revoke();
  assert.deepEqual([...kafka.paused], []);
  assert.deepEqual(moves(kafka), [{ topic: TOPIC, partition: 0, offset: 6 }]);
  kafka.assign(TOPIC, 0);
  await schemas.tell('a');
  assert.equal(engine.batches.length, 1);
  await kafka.deliver(needing(6, 'a'), request(7));
  await answer(1, 2);
  assert.deepEqual([repliesTo(), inFlight.requests], [['r5', 'r6', 'r7'], 0]);
});

test('closing does not wait for the schema, and what waited is not committed', async (context) => {
  const schemas = new HeldSchemas();
  const { kafka, consumer, engine, answer } = await consuming(context, { schemas });
  await kafka.deliver(request(5), needing(6, 'a'), request(7));
  await answer(0);
  await consumer.close();
  assert.deepEqual([...kafka.paused], []);
  assert.deepEqual(moves(kafka), [{ topic: TOPIC, partition: 0, offset: 6 }]);
  await schemas.tell('a');
  assert.equal(engine.batches.length, 1);
});

test('partitions that waited for the same go on within the bounds', async (context) => {
  const schemas = new HeldSchemas();
  const { kafka, inFlight, answer } = await consuming(context, { schemas, maxRequests: 2 });
  kafka.assign(TOPIC, 0, 1);
  for (const partition of [0, 1])
    await kafka.deliver(needing(5, 'a', { partition }), needing(6, 'a', { partition }));
  await schemas.tell('a');
  assert.deepEqual([inFlight.requests, ...kafka.paused], [2, 1]);
  await answer(0, 1);
  assert.deepEqual([inFlight.requests, ...kafka.paused], [2]);
  await answer(2, 3);
  assert.equal(inFlight.requests, 0);
});

test('records that can not be read wait their turn behind what waits', async (context) => {
  const schemas = new HeldSchemas();
  const { kafka, producer, answer } = await consuming(context, { schemas });
  await kafka.deliver(needing(5, 'a'));
  kafka.stepOver({ topic: TOPIC, partition: 0, offset: 6, lastOffset: 7 }, 'wrong checksum');
  await kafka.deliver(request(8));
  await settle();
  assert.equal(producer.taken.length, 0);
  await schemas.tell('a');
  await answer(0, 1);
  assert.deepEqual(
    producer.taken.map(({ topic }) => topic.replace(/.*\./, '')),
    ['replies', 'requests-dlt', 'replies'],
  );
});
