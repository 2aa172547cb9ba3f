import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { NoReplyError, PartituraError, type Inputs } from '../../producers/index.js';
import { Harness } from '../support/harness.js';
import { eventually } from '../support/eventually.js';

let harness: Harness;
before(async () => {
  harness = await Harness.start(['scale', 'types', 'slow']);
  await harness.node();
});
after(() => harness.close());

const noReply =
  (reason: string, message = /./) =>
  (error: unknown): boolean =>
    error instanceof NoReplyError && error.reason === reason && message.test(error.message);
const row = (value: number): Inputs => ({ x: [[value, 0, 0, 0]] });
const first = (data: unknown): unknown => (data as Float32Array)[0];

test('values of every type survive a round trip exactly', async () => {
  const client = await harness.client();
  const inputs = {
    bool: [[true, false]],
    bytes: [['grüße', '']],
    fp32: [[1.5, -0]],
    int32: { data: Int32Array.of(-2147483648, 2147483647), shape: [1, 2] },
    int64: [[-9223372036854775808n, 9007199254740993n]],
    uint8: { data: Uint8Array.of(0, 255), shape: [1, 2] },
  };
  const { outputs } = await client.predict('types', inputs);
  assert.deepEqual(outputs['bool_echo']?.data, [true, false]);
  assert.deepEqual(outputs['bytes_echo']?.data, ['grüße', '']);
  assert.deepEqual(outputs['fp32_echo']?.data, Float32Array.of(1.5, -0));
  assert.deepEqual(outputs['int32_echo']?.data, Int32Array.of(-2147483648, 2147483647));
  assert.deepEqual(outputs['int64_echo']?.data, BigInt64Array.of(-9223372036854775808n, 9007199254740993n));
  assert.deepEqual(outputs['uint8_echo']?.data, Uint8Array.of(0, 255));
  const some = await client.predict('types', inputs, { outputs: ['int32_echo'] });
  assert.deepEqual(Object.keys(some.outputs), ['int32_echo']);
});

test('clients that come and go each get their own replies and none of the others', async () => {
  const steady = await harness.client();
  const asked = Array.from({ length: 400 }, (_, index) => steady.predict('scale', row(index)));
  const visits = Array.from({ length: 6 }, async (_, visitor) => {
    const client = await harness.client();
    const values = Array.from({ length: 50 }, (_, index) => visitor * 1_000 + index);
    const replies = await Promise.all(values.map((value) => client.predict('scale', row(value))));
    assert.deepEqual(
      replies.map(({ outputs }) => first(outputs['y']?.data)),
      values.map((value) => value * 2),
    );
    await client.close();
  });
  await Promise.all(visits);
  const replies = await Promise.all(asked);
  assert.deepEqual(
    replies.map(({ outputs }) => first(outputs['y']?.data)),
    asked.map((_, index) => index * 2),
  );
});

test('a stream is answered in order, pulls at most its limit, and continues after a failure', async () => {
  const client = await harness.client();
  let pulled = 0;
  let answered = 0;
  let most = 0;
  const source = function* (): Generator<Inputs> {
    for (let index = 0; index < 300; index++) {
      pulled++;
      most = Math.max(most, pulled - answered);
      yield index === 100 ? { x: [[1, 2]] } : row(index);
    }
  };
  for await (const attempt of client.predictMany('scale', source(), { maxInflight: 16 })) {
    assert.equal(attempt.index, answered++);
    if (attempt.index === 100)
      assert.ok(
        'error' in attempt &&
          attempt.error instanceof PartituraError &&
          attempt.error.code === 'SHAPE_MISMATCH',
      );
    else
      assert.ok(
        'prediction' in attempt && first(attempt.prediction.outputs['y']?.data) === attempt.index * 2,
      );
  }
  assert.equal(answered, 300);
  assert.ok(most <= 17, `${most} in flight`);
});

test('a call ends on timeout, on abort, when its client is closed, and when its model has no topic', async () => {
  const client = await harness.client();
  const never = { x: [[1, 2, 3, 4]] };
  await harness.withAdmin((admin) =>
    admin.createTopics([{ topic: harness.topics.requests('nobody'), partitions: 1, replicationFactor: -1 }]),
  );
  await assert.rejects(client.predict('nobody', never, { timeoutMs: 300 }), noReply('timeout'));
  const giveUp = AbortSignal.timeout(200);
  await assert.rejects(client.predict('nobody', never, { signal: giveUp }), noReply('aborted'));
  await assert.rejects(client.predict('nowhere', never), noReply('unsent', /'nowhere'/));
  const waiting = client.predict('nobody', never);
  const closed = assert.rejects(waiting, noReply('closed'));
  await client.close();
  await closed;
  await assert.rejects(client.predict('scale', row(1)), noReply('closed'));
  assert.equal(client.inflight, 0);
});

test('an oversized request and one beyond the in-flight limit are refused before they are sent', async () => {
  const client = await harness.client({ maxRecordBytes: 10_000, maxInflight: 2 });
  const large = { x: { data: new Float32Array(40_000), shape: [10_000, 4] } };
  await assert.rejects(
    client.predict('scale', large),
    (error: PartituraError) => error.code === 'REQUEST_TOO_LARGE',
  );
  const two = [client.predict('scale', row(1)), client.predict('scale', row(2))];
  await assert.rejects(
    client.predict('scale', row(3)),
    (error: PartituraError) => error.code === 'OVERLOADED',
  );
  await Promise.all(two);
});

test('a client loses no reply when the broker crashes and restarts', async () => {
  const client = await harness.client();
  await client.predict('scale', row(1));
  const slow = Array.from({ length: 50 }, (_, index) =>
    client.predict('slow', row(index), { timeoutMs: 90_000 }),
  );
  await harness.broker.kill();
  await harness.broker.restart();
  const replies = await Promise.all(slow);
  assert.deepEqual(
    replies.map(({ outputs }) => first(outputs['y']?.data)),
    slow.map((_, index) => index),
  );
  await eventually('new calls are answered too', () => client.predict('scale', row(2)).then(() => true));
});

test('a request is sent as it is, and an error reply is returned instead of thrown', async () => {
  const client = await harness.client();
  const data = Buffer.alloc(16);
  const tensor = { name: 'x', datatype: 'FP32' as const, shape: [1, 4], data };
  const request = {
    id: 'mine',
    model: 'scale',
    modelVersion: null,
    inputs: [tensor],
    outputs: [],
    parameters: {},
    deadline: null,
  };
  const reply = await client.request(request, { timeoutMs: 20_000 });
  assert.deepEqual([reply.id, reply.error, reply.outputs[0]?.shape], ['mine', null, [1, 4]]);
  const refused = await client.request({ ...request, inputs: [] }, { timeoutMs: 20_000 });
  assert.deepEqual([refused.id, refused.error?.code], ['mine', 'INVALID_REQUEST']);
});
