import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Schema } from 'avsc';
import type { InferenceNode } from '../../consumers/node/node.js';
import type { KafkaRecord } from '../../kafka/port.js';
import { startLocalRegistry, type LocalRegistry } from '../../local-cluster/registry.js';
import { SchemaRegistry, type StoredSchema } from '../../schemas/registry/client.js';
import { BoundTopic } from '../support/bound-topic.js';
import { framed, unframed } from '../support/confluent.js';
import { Gate } from '../support/gate.js';
import { Harness } from '../support/harness.js';
import { seededRandom, mutate } from '../support/mutate.js';
import { missing } from '../support/programs.js';

const MUTATED = 5_000;
const skip = (await missing(['java', '-version'], ['mvn', '-v'])) ?? false;

/** A record of another program, without any of our types. */
const ORDER: Schema = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'amount', type: 'double' },
    { name: 'discount', type: ['null', 'double', 'int'], default: null },
    { name: 'color', type: { type: 'enum', name: 'Color', symbols: ['RED', 'BLUE'] } },
    { name: 'sizes', type: { type: 'array', items: 'int' } },
  ],
};

interface Order {
  readonly id: number;
  readonly amount: number;
  readonly discount: number | { readonly double: number } | null;
  readonly color: string;
  readonly sizes: readonly number[];
}

const order = (id: number, more: Partial<Order> = {}): Order => ({
  id,
  amount: 100 + id,
  discount: { double: 0.5 },
  color: 'BLUE',
  sizes: [7],
  ...more,
});

/** Creates a binding with features of every kind for the four columns of y = 2x. */
const binding = (name: string, output: object = {}): object => ({
  name,
  source: { topic: `${name}-in`, format: 'avro' },
  model: 'scale',
  version: 2,
  inputs: {
    x: [
      { field: 'amount', subtract: 100 },
      { field: 'discount', default: 0 },
      { field: 'color', lookup: { RED: 1, BLUE: 2 } },
      { field: 'sizes', length: 1 },
    ],
  },
  output: { topic: `${name}-out`, fields: { y: {}, largest: { take: 'max' } }, ...output },
});

describe('bindings of Avro topics', { skip }, () => {
  let server: LocalRegistry;
  let gate: Gate;
  /** The registry, reached directly rather than through the gate. */
  let registry: SchemaRegistry;
  let harness: Harness;
  let node: InferenceNode;
  before(async () => {
    server = await startLocalRegistry();
    registry = new SchemaRegistry(server.url);
    const gated = await Gate.inFrontOf(server.url);
    gate = gated.gate;
    harness = await Harness.start(['scale'], { schemaRegistryUrl: gated.url });
    node = await harness.node({ versionPolicy: 'all' });
  });
  after(async () => {
    await harness.close();
    await gate.shut();
    await server.stop();
  });

  /** Sets the global compatibility level of the registry. */
  async function setRule(compatibility: string): Promise<void> {
    const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' };
    const body = JSON.stringify({ compatibility });
    const { ok } = await fetch(`${server.url}/config`, { method: 'PUT', headers, body });
    assert.ok(ok);
  }

  async function newestOf(subject: string): Promise<StoredSchema> {
    return registry.schemaById((await registry.ids(subject)).at(-1) ?? NaN);
  }

  const read = ({ value }: KafkaRecord): Promise<Record<string, unknown>> => unframed(registry, value);

  test('a result contains the original unchanged, and the derived schema is registered', async () => {
    const bound = await BoundTopic.apply(harness, binding('orders'));
    const { id } = await registry.register('orders-in-value', ORDER);
    await bound.running(node);
    const value = framed(id, ORDER, order(1));
    const without = framed(id, ORDER, order(2, { discount: null, color: 'RED' }));
    await bound.send([
      { value, key: Buffer.from('a'), partition: 0 },
      { value: without, key: Buffer.from('b'), partition: 0 },
    ]);
    const [first, second] = await bound.results(2);
    assert.ok(first?.value && second);
    assert.ok(first.value.includes(value.subarray(5)), 'the original bytes');
    const { y, largest, amount } = await read(first);
    assert.deepEqual([amount, y, largest], [101, [2, 1, 4, 14], 14]);
    assert.deepEqual((await read(second))['y'], [4, 0, 2, 14]);
    const stored = await newestOf('orders-out-value');
    const derived = JSON.parse(stored.schema) as { name: string; fields: { name: string }[] };
    assert.equal(derived.name, 'Order');
    assert.deepEqual(
      derived.fields.map(({ name }) => name),
      ['id', 'amount', 'discount', 'color', 'sizes', 'y', 'largest'],
    );
  });

  test('results follow the evolution of the source schema', async () => {
    const bound = await BoundTopic.apply(harness, binding('grows'));
    const older = await registry.register('grows-in-value', ORDER);
    const grown = {
      ...(ORDER as object),
      fields: [
        ...(ORDER as unknown as { fields: object[] }).fields,
        { name: 'note', type: 'string', default: '' },
      ],
    } as unknown as Schema;
    const newer = await registry.register('grows-in-value', grown);
    await bound.send([
      { value: framed(older.id, ORDER, order(1)), partition: 0 },
      { value: framed(newer.id, grown, { ...order(2), note: 'n' }), partition: 0 },
    ]);
    const [first, second] = await Promise.all((await bound.results(2)).map(read));
    assert.ok(first && second);
    assert.deepEqual([first['note'], first['largest']], [undefined, 14]);
    assert.deepEqual([second['note'], second['largest']], ['n', 14]);
  });

  test('records from before a field was removed are read with the newer schema under BACKWARD compatibility', async () => {
    await setRule('BACKWARD');
    const fields = (ORDER as unknown as { fields: object[] }).fields;
    const fuller = {
      ...(ORDER as object),
      fields: [...fields, { name: 'old', type: 'string' }],
    } as unknown as Schema;
    const before = await registry.register('shrinks-in-value', fuller);
    const after = await registry.register('shrinks-in-value', ORDER);
    const bound = await BoundTopic.apply(harness, binding('shrinks'));
    await bound.running(node);
    await bound.send([
      { value: framed(before.id, fuller, { ...order(1), old: 'o' }), partition: 0 },
      { value: framed(after.id, ORDER, order(2)), partition: 0 },
    ]);
    const [first, second] = await Promise.all((await bound.results(2)).map(read));
    assert.deepEqual([first?.['old'], second?.['old'], second?.['largest']], ['o', undefined, 14]);
    await setRule('NONE');
  });

  test('results with predictions only have their own schema', async () => {
    const bound = await BoundTopic.apply(harness, binding('alone', { record: 'prediction' }));
    await bound.running(node);
    const stored = await newestOf('alone-out-value');
    const { name, namespace } = JSON.parse(stored.schema) as { name: string; namespace: string };
    assert.equal(`${namespace}.${name}`, 'partitura.bindings.alone.Prediction');
    const { id } = await registry.register('alone-in-value', ORDER);
    await bound.send([{ value: framed(id, ORDER, order(3)), key: Buffer.from('k') }]);
    const [result] = await bound.results(1);
    assert.ok(result);
    assert.equal(result.key?.toString(), 'k');
    assert.deepEqual({ ...(await read(result)) }, { y: [6, 1, 4, 14], largest: 14 });
  });

  test('JSON records become Avro predictions', async () => {
    const bound = await BoundTopic.apply(harness, {
      ...binding('mixed', { format: 'avro', record: 'prediction' }),
      source: { topic: 'mixed-in', format: 'json' },
    });
    await bound.send([{ value: Buffer.from(JSON.stringify(order(1, { discount: 1 }))) }]);
    const [result] = await bound.results(1);
    assert.ok(result);
    assert.deepEqual((await read(result))['y'], [2, 2, 4, 14]);
  });

  test(`of ${MUTATED} mutated records each becomes a result or a dead letter byte for byte`, async () => {
    const bound = await BoundTopic.apply(harness, binding('fuzz'));
    const { id } = await registry.register('fuzz-in-value', ORDER);
    const random = seededRandom(20_261_126);
    const sent = new Map<string, Buffer>();
    for (let number = 0; number < MUTATED; number++) {
      const value = framed(id, ORDER, order(number));
      // Most keep the schema id: a random one only tests the lookup of an unknown id.
      const damaged = mutate(value.subarray(5), random);
      sent.set(
        `bad ${number}`,
        number % 10 === 0 ? mutate(value, random) : Buffer.concat([value.subarray(0, 5), damaged]),
      );
      if (number % 50 === 0) sent.set(`good ${number}`, value);
    }
    await bound.send([...sent].map(([key, value]) => ({ key: Buffer.from(key), value })));
    await bound.assertEnded(sent, (key) => key.startsWith('good'));
  });

  test('while the registry is unavailable, records with a new schema wait and none is refused', async () => {
    const bound = await BoundTopic.apply(harness, binding('away'));
    await bound.running(node);
    const { id } = await registry.register('away-in-value', {
      ...(ORDER as object),
      doc: 'known only to the registry',
    } as Schema);
    await gate.shut();
    await bound.send([{ value: framed(id, ORDER, order(1)) }]);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.equal((await harness.read('away-out')).length + (await bound.deadLetters()).length, 0);
    await gate.open();
    assert.equal((await bound.results(1)).length, 1);
    assert.equal((await bound.deadLetters()).length, 0);
  });

  test('a source field with the name of a prediction stops the binding with an error', async () => {
    const { id } = await registry.register('taken-in-value', ORDER);
    const bound = await BoundTopic.apply(harness, binding('taken', { fields: { amount: { take: 'max' } } }));
    await bound.send([{ value: framed(id, ORDER, order(1)) }]);
    await bound.reports(
      node,
      'FAILED',
      /output\.fields\.amount: expected a name that is not a field of the source/,
    );
    assert.equal((await bound.deadLetters()).length, 0);
  });
});
