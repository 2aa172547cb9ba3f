import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { PartituraError } from '../../schemas/errors.js';
import { FakeShareConsumer } from '../../testing/share-consumer.js';
import {
  request,
  requestSetting,
  TOPIC,
  type RequestSetting,
  type Setting,
} from '../../testing/consuming.js';
import { settle, silent } from '../../testing/records.js';
import { KafkaError } from '../../kafka/port.js';
import type { Admitted } from '../requests/admission.js';
import type { Outcome } from '../requests/replies/outcome.js';
import { QueueConsumer } from './queue-consumer.js';
import { NO_SPANS } from './record-spans.js';

interface Queueing extends RequestSetting {
  readonly kafka: FakeShareConsumer;
  readonly consumer: QueueConsumer<Admitted, Outcome>;
}

async function queueing(context: TestContext, setting: Setting = {}): Promise<Queueing> {
  const kafka = new FakeShareConsumer();
  const parts = requestSetting(setting);
  const { requests, inFlight, metrics, stopped, state } = parts;
  const options = {
    model: 'digits',
    group: 'p.digits',
    drainTimeoutMs: setting.drainTimeoutMs ?? 60_000,
    deliveryLimit: 5,
    now: () => state.now,
    onStopped: (error: Error) => stopped.push(error),
  };
  const consumer = new QueueConsumer(kafka, requests, options, {
    inFlight,
    capacity: () => 10,
    readLag: () => Promise.resolve([{ partition: 0, lag: 7 }]),
    metrics,
    spans: NO_SPANS,
    log: silent,
  });
  await consumer.start();
  context.after(async () => {
    await parts.answerAll();
    await consumer.close();
  });
  return { kafka, consumer, ...parts };
}

const codes = ({ producer }: Queueing): string[][] =>
  producer.taken.map(({ topic, headers }) => [topic, String(headers['inference-error'])]);

test('replies leave as soon as they are there, and a record is accepted after the broker has its reply', async (context) => {
  const { kafka, answer, repliesTo } = await queueing(context);
  for (const offset of [5, 6, 7]) void kafka.deliver(request(offset));
  await answer(1);
  assert.deepEqual([repliesTo(), kafka.acknowledged], [['r6'], ['6 accept']]);
  await answer(0, 2);
  assert.deepEqual(kafka.acknowledged, ['6 accept', '5 accept', '7 accept']);
});

test('a record whose reply the broker refuses is not acknowledged', async (context) => {
  const { kafka, producer, stopped, answer } = await queueing(context, { drainTimeoutMs: 1 });
  producer.refuse = () => new KafkaError('unavailable', 'away');
  void kafka.deliver(request(5));
  await answer(0);
  assert.deepEqual([kafka.acknowledged, stopped.map(({ message }) => message)], [[], ['away']]);
});

test('a record that cannot be decoded is rejected after its dead letter', async (context) => {
  const queue = await queueing(context);
  void queue.kafka.deliver(request(5, { value: Buffer.from([0xff]) }));
  await settle();
  assert.deepEqual(codes(queue), [['p.digits.requests-dlt', 'DECODE_FAILED']]);
  assert.deepEqual(queue.kafka.acknowledged, ['5 reject']);
});

test('records that cannot be read become one dead letter', async (context) => {
  const queue = await queueing(context);
  await queue.kafka.deliverUnreadable({ topic: TOPIC, partition: 0, offset: 3, lastOffset: 4 }, 'damaged');
  assert.deepEqual(codes(queue), [['p.digits.requests-dlt', 'DECODE_FAILED']]);
});

test('from its second delivery, a record is computed in the child process', async (context) => {
  const { kafka, engine, suspectEngine } = await queueing(context);
  void kafka.deliver(request(5), 1);
  void kafka.deliver(request(6), 2);
  void kafka.deliver(request(7), 3);
  await settle();
  assert.deepEqual([engine.batches.length, suspectEngine.batches.length > 0], [1, true]);
});

test('a suspect that crashes the child process twice becomes a dead letter, and later records are isolated', async (context) => {
  const queue = await queueing(context);
  const { kafka, engine, suspectEngine } = queue;
  void kafka.deliver(request(5), 2);
  await settle();
  for (const death of [0, 1]) {
    suspectEngine.batches[death]?.fail(new PartituraError('MODEL_CRASHED', 'ended with SIGFPE'));
    await settle();
  }
  assert.deepEqual(
    [codes(queue), kafka.acknowledged],
    [[['p.digits.requests-dlt', 'MODEL_CRASHED']], ['5 reject']],
  );
  void kafka.deliver(request(6), 1);
  await settle();
  assert.deepEqual([engine.batches.length, suspectEngine.batches.length], [0, 3]);
});

test('before the broker would archive it, a record becomes a dead letter with an error reply', async (context) => {
  const queue = await queueing(context);
  const headers = { 'reply-to': Buffer.from('my.replies') };
  void queue.kafka.deliver(request(5, { headers }), 4);
  await settle();
  assert.deepEqual(codes(queue), [
    ['p.digits.requests-dlt', 'MODEL_CRASHED'],
    ['my.replies', 'MODEL_CRASHED'],
  ]);
  assert.deepEqual([queue.suspectEngine.batches.length, queue.kafka.acknowledged], [0, ['5 reject']]);
});

test('a record that comes again while it is computed is answered once', async (context) => {
  const { kafka, engine, answer, repliesTo, inFlight } = await queueing(context);
  void kafka.deliver(request(5), 1);
  void kafka.deliver(request(5), 2);
  await answer(0);
  assert.deepEqual([engine.batches.length, repliesTo(), kafka.acknowledged], [1, ['r5'], ['5 accept']]);
  assert.equal(inFlight.requests, 0);
});

test('no record is asked for at the in-flight limits, and room is announced', async (context) => {
  const { kafka, answer } = await queueing(context, { maxRequests: 2 });
  assert.equal(kafka.room(), 10);
  let goesOn = false;
  void kafka.deliver(request(5));
  void kafka.deliver(request(6)).then(() => (goesOn = true));
  await settle();
  assert.deepEqual([kafka.room(), goesOn], [0, false]);
  await answer(0, 1);
  assert.equal(goesOn, true);
  assert.ok(kafka.wakes > 0);
  assert.equal(kafka.room(), 10);
});

test('a record that waits for its schema delays no other', async (context) => {
  let found: () => void = () => undefined;
  const schema = new Promise<void>((resolve) => (found = resolve));
  let lookUps = 0;
  const schemas = { lookUp: () => (lookUps++ === 0 ? schema : undefined) };
  const { kafka, answer, repliesTo } = await queueing(context, { schemas });
  void kafka.deliver(request(5));
  void kafka.deliver(request(6));
  await answer(0);
  assert.deepEqual(repliesTo(), ['r6']);
  found();
  await answer(1);
  assert.deepEqual(repliesTo(), ['r6', 'r5']);
});

test('a closing node finishes its work and releases what comes meanwhile', async (context) => {
  const { kafka, consumer, answer } = await queueing(context);
  void kafka.deliver(request(5));
  await settle();
  const closing = consumer.close();
  void kafka.deliver(request(6));
  assert.deepEqual([kafka.room(), kafka.isClosed, kafka.acknowledged], [0, false, ['6 release']]);
  await answer(0);
  await closing;
  assert.deepEqual([kafka.isClosed, kafka.acknowledged], [true, ['6 release', '5 accept']]);
});

test('the lag of the share group is reported for each partition', async (context) => {
  const { consumer, metrics } = await queueing(context);
  await settle();
  assert.deepEqual(consumer.owned, [{ topic: TOPIC, partition: 0, lagRecords: 7 }]);
  assert.match(await metrics.registry.metrics(), /partitura_consumer_lag_records\{[^}]*\} 7/);
});
