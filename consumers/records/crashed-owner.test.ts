import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError, type CommittedPosition } from '../../kafka/port.js';
import { PartituraError } from '../../schemas/errors.js';
import { ISOLATION_MS } from './isolation.js';
import { settle } from '../../testing/records.js';
import { TOPIC, consuming, request } from '../../testing/consuming.js';

const LEFT_AT_5: CommittedPosition = {
  partition: 0,
  offset: 5,
  metadata: 'partitura owners=1 until=7 isolated=0',
};

test('suspects are computed in a child process, later records in the node', async (context) => {
  const { kafka, engine, suspectEngine } = await consuming(context, { committed: [LEFT_AT_5] });
  await kafka.deliver(request(5), request(6), request(7));
  await settle();
  assert.deepEqual([engine.batches.length, suspectEngine.batches.length], [1, 1]);
  suspectEngine.batches[0]?.echo();
  await settle();
  assert.equal(suspectEngine.batches.length, 2);
});

test("no record is computed before the owner's mark is committed", async (context) => {
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

test('an orderly release leaves no mark, except for unfinished suspects', async (context) => {
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

test('a request that crashes its process becomes a dead letter, with an error reply if it names a reply topic', async (context) => {
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

test('after a crash all requests are computed in a child process for a while, and marks inform the other nodes', async (context) => {
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

test('a node that opens a partition learns of a crash from the marks of others', async (context) => {
  const elsewhere = { partition: 3, offset: 0, metadata: 'partitura owners=0 until=0 isolated=5000' };
  const { kafka, engine, suspectEngine } = await consuming(context, { committed: [elsewhere] });
  await kafka.deliver(request(5));
  await settle();
  assert.deepEqual([engine.batches.length, suspectEngine.batches.length], [0, 1]);
});
