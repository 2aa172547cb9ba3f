import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError, type KafkaRecord } from '../../kafka/port.js';
import { topicNames } from '../../cluster/topics.js';
import { decodeReply, encodeRequest } from '../../schemas/framing/index.js';
import { exampleRequest } from '../../testing/requests.js';
import { settle } from '../../testing/records.js';
import { TOPIC, consuming, moves, request } from '../../testing/consuming.js';

test('replies leave in the order of requests, and commits stop at the lowest unfinished one', async (context) => {
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

test('unfinished records are not committed at revocation, nor anything after them', async (context) => {
  const { kafka, answer } = await consuming(context, { drainTimeoutMs: 1, ordered: false });
  await kafka.deliver(request(5), request(6), request(7));
  await answer(0, 2);
  await kafka.revoke();
  assert.deepEqual(moves(kafka), [{ topic: TOPIC, partition: 0, offset: 6 }]);
});

test('an outcome that the broker refused is not committed', async (context) => {
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

test('at revocation, work in flight is finished and committed first', async (context) => {
  const { kafka, consumer, answer, repliesTo } = await consuming(context);
  await kafka.deliver(request(5));
  const revoked = kafka.revoke();
  await settle();
  assert.deepEqual([moves(kafka), consumer.owned.length], [[], 1]);
  await answer(0);
  await revoked;
  assert.deepEqual([repliesTo(), moves(kafka).length, consumer.owned.length], [['r5'], 1, 0]);
});

test('a result for a revoked partition is dropped, because its next owner answers', async (context) => {
  const { kafka, inFlight, answer, repliesTo } = await consuming(context, { drainTimeoutMs: 1 });
  await kafka.deliver(request(5), request(6));
  await answer(1);
  await kafka.revoke();
  assert.equal(inFlight.requests, 1);
  await answer(0);
  assert.deepEqual([repliesTo(), inFlight.requests, inFlight.bytes], [[], 0, 0]);
});

test('a partition that is assigned again starts without earlier results', async (context) => {
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

test('a partition that is assigned again without revocation keeps no state', async (context) => {
  const { kafka, inFlight, answer, repliesTo } = await consuming(context);
  await kafka.deliver(request(5), request(6));
  await answer(1);
  kafka.assign(TOPIC, 0);
  await answer(0);
  assert.deepEqual([repliesTo(), inFlight.requests, inFlight.bytes], [[], 0, 0]);
});

test('a record that is redelivered while in flight is answered once', async (context) => {
  const { kafka, engine, answer, repliesTo } = await consuming(context);
  await kafka.deliver(request(5));
  await kafka.deliver(request(5), request(6));
  await settle();
  assert.equal(engine.batches.length, 2);
  await answer(0, 1);
  assert.deepEqual(repliesTo(), ['r5', 'r6']);
});

test('fetching is blocked at the in-flight limits', async (context) => {
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

test('no record is accepted after closing has begun', async (context) => {
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

test('closing twice closes once, and both calls wait', async (context) => {
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

test('a failed commit is retried with the next one', async (context) => {
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

test('tombstones and refusals end without the engine, and are counted', async (context) => {
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

test('a reply without a usable topic becomes a dead letter', async (context) => {
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

test('a result after its deadline becomes an error reply that overtakes', async (context) => {
  const { kafka, producer, state, answer } = await consuming(context);
  const value = encodeRequest(exampleRequest({ id: 'late', deadline: 10 }));
  await kafka.deliver(request(5), request(6, { value }));
  state.now = 11;
  await answer(1);
  const [reply] = producer.taken.map((record) => decodeReply(record.value ?? Buffer.alloc(0)));
  assert.deepEqual([reply?.id, reply?.error?.code, reply?.outputs.length], ['late', 'DEADLINE_EXCEEDED', 0]);
});

test('a result whose deadline passes while it waits in order is not sent', async (context) => {
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

test('a reply reports version, node, timing and batch size', async (context) => {
  const { kafka, producer, answer } = await consuming(context);
  await kafka.deliver(request(5));
  await answer(0);
  const [reply] = producer.taken.map((record) => decodeReply(record.value ?? Buffer.alloc(0)));
  assert.deepEqual(
    [reply?.modelVersion, reply?.node, reply?.timing?.batchSize, reply?.outputs.map(({ name }) => name)],
    ['1', 'n', 1, ['pixels']],
  );
});

test('a consumer that crashes is reported', async (context) => {
  const { kafka, stopped } = await consuming(context);
  kafka.crash(new KafkaError('not-authorized', 'no longer allowed'));
  assert.deepEqual(
    stopped.map(({ message }) => message),
    ['no longer allowed'],
  );
});

test('an unreadable range becomes one dead letter without a value, and is committed after it', async (context) => {
  const { kafka, producer, consumer } = await consuming(context);
  kafka.stepOver({ topic: TOPIC, partition: 0, offset: 3, lastOffset: 7 }, 'wrong checksum');
  await settle();
  const [letter] = producer.taken;
  assert.deepEqual([letter?.topic, letter?.value], [topicNames('p').deadLetters('digits'), null]);
  assert.match(String(Object.values(letter?.headers ?? {})), /offsets 3 to 7 cannot be read: wrong checksum/);
  assert.ok(letter?.headers['__connect.errors.value.dropped'], 'it is not a tombstone');
  await consumer.close();
  assert.deepEqual(moves(kafka), [{ topic: TOPIC, partition: 0, offset: 8 }]);
});
