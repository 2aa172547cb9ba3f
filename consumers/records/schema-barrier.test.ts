import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KafkaRecord } from '../../kafka/port.js';
import { encodeRequest } from '../../schemas/framing/index.js';
import { exampleRequest } from '../../testing/requests.js';
import { settle } from '../../testing/records.js';
import { TOPIC, consuming, moves, request } from '../../testing/consuming.js';

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

test('a record with an unknown schema pauses its partition only', async (context) => {
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

test('a partition can wait for one schema after another', async (context) => {
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

test('a waiting partition can be revoked, and is not paused when it is assigned again', async (context) => {
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

test('closing does not wait for schemas, and waiting records are not committed', async (context) => {
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

test('partitions that waited for one schema resume within the limits', async (context) => {
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

test('an unreadable range keeps its place behind waiting records', async (context) => {
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
