import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { InferenceNode } from '../../consumers/node/node.js';
import type { KafkaRecord } from '../../kafka/port.js';
import { headerText } from '../../schemas/framing/framing.js';
import { BoundTopic } from '../support/bound-topic.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { seededRandom, mutate } from '../support/mutate.js';

const MUTATED = 10_000;
const GOOD_EVERY = 50;

let harness: Harness;
let node: InferenceNode;
before(async () => {
  harness = await Harness.start([]);
  await harness.addModel('scale', '1');
  await harness.addModel('wine');
  node = await harness.node();
});
after(() => harness.close());

/** Creates a binding that feeds four fields to y = x · version. */
const scaleBinding = (name: string, more: object = {}): object => ({
  name,
  source: { topic: `${name}-in`, format: 'json' },
  model: 'scale',
  inputs: { x: ['a', { field: 'b.c', divide: 2 }, { field: 'kind', lookup: { red: 3, blue: 4 } }, 'd'] },
  output: { topic: `${name}-out`, fields: { largest: { take: 'max' }, scaled: {} } },
  ...more,
});

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
const original = (a: number): object => ({ a, b: { c: 4 }, kind: 'red', d: -1 });
const textOf = ({ value }: KafkaRecord): string => value?.toString('utf8') ?? '';

test('records are enriched with predictions; key, timestamp, headers, partition and all digits are kept', async () => {
  const bound = await BoundTopic.apply(harness, scaleBinding('kept'));
  await bound.running(node);
  const text = '{ "id": 12345678901234567890, "a": 1.50, "b": {"c": 4}, "kind": "red", "d": -1 }';
  const headers = { traceparent: Buffer.from('00-1-2-01'), raw: Buffer.from([0, 255]) };
  await bound.send([
    { key: Buffer.from('k'), value: Buffer.from(text), headers, timestamp: 1_600_000_000_000, partition: 2 },
    { key: Buffer.from('gone'), value: null, partition: 1 },
  ]);
  const results = await bound.results(2);
  const [deleted, result] = results.sort((a, b) => a.partition - b.partition);
  assert.ok(result && deleted);
  assert.equal(textOf(result), text.replace(/ }$/, ' ,"largest":3,"scaled":[1.5,2,3,-1]}'));
  assert.equal(result.key?.toString(), 'k');
  assert.equal(result.timestamp, 1_600_000_000_000);
  assert.equal(result.partition, 2);
  assert.deepEqual(result.headers['raw'], Buffer.from([0, 255]));
  assert.equal(headerText(result.headers, 'traceparent'), '00-1-2-01');
  assert.equal(headerText(result.headers, 'partitura-model-version'), '1');
  assert.deepEqual([deleted.key?.toString(), deleted.value, deleted.partition], ['gone', null, 1]);
});

test('a record that cannot be predicted becomes a dead letter byte for byte and delays no other', async () => {
  const bound = await BoundTopic.apply(harness, scaleBinding('bad'));
  const values = [
    json(original(1)),
    Buffer.from('no JSON'),
    json({ ...original(2), kind: 'green' }),
    json({ a: 'x', b: { c: 1 }, kind: 'red', d: 1 }),
    json({ a: 1 }),
    json({ ...original(3), scaled: 'taken' }),
    json(original(4)),
  ];
  await bound.send(values.map((value, index) => ({ value, key: Buffer.from(String(index)), partition: 0 })));
  const results = await bound.results(values.length);
  assert.deepEqual(
    results.map(({ key }) => key?.toString()),
    ['0', '6'],
  );
  const letters = (await bound.deadLetters()).sort((a, b) => Number(a.key) - Number(b.key));
  const messages = letters.map(({ key, value, headers }) => {
    assert.ok(value?.equals(values[Number(key)] ?? Buffer.alloc(0)));
    assert.equal(headerText(headers, '__connect.errors.topic'), 'bad-in');
    return [
      headerText(headers, '__connect.errors.stage'),
      headerText(headers, '__connect.errors.exception.message'),
    ];
  });
  const [unreadable, unknown, wrong, missing, taken] = messages;
  assert.deepEqual([unreadable?.[0], unknown?.[0], taken?.[0]], ['decode', 'validate', 'reply']);
  assert.match(unreadable?.[1] ?? '', /expected JSON/);
  assert.match(unknown?.[1] ?? '', /field 'kind': expected one of 'red', 'blue', got 'green'/);
  assert.match(wrong?.[1] ?? '', /field 'a': expected a number, got 'x'/);
  assert.match(missing?.[1] ?? '', /field 'b\.c': expected a value, got nothing/);
  assert.match(taken?.[1] ?? '', /field 'scaled': expected a record without this field/);
  await eventually('all offsets are committed', async () => (await bound.uncommitted()) === 0);
});

test(`of ${MUTATED} mutated records each becomes a result or a dead letter byte for byte, and all good ones become results`, async () => {
  const bound = await BoundTopic.apply(harness, scaleBinding('fuzz'));
  const random = seededRandom(20_261_126);
  const sent = new Map<string, Buffer>();
  for (let number = 0; number < MUTATED; number++) {
    const value = json(original(number));
    sent.set(`bad ${number}`, mutate(value, random));
    if (number % GOOD_EVERY === 0) sent.set(`good ${number}`, value);
  }
  await bound.send([...sent].map(([key, value]) => ({ key: Buffer.from(key), value })));
  await bound.assertEnded(sent, (key) => key.startsWith('good'));
});

test('a binding that is removed and reapplied resumes from its committed offsets', async () => {
  const bound = await BoundTopic.apply(harness, scaleBinding('again'));
  await bound.send([{ value: json(original(1)) }]);
  await bound.handled(1);
  await eventually('the offset is committed', async () => (await bound.uncommitted()) === 0);
  await bound.remove();
  await eventually('the removal', () => node.status().bindings.every(({ binding }) => binding !== 'again'));
  await bound.send([{ value: json(original(2)) }]);
  const only = scaleBinding('again', {
    output: { topic: 'again-out', record: 'prediction', fields: { first: { take: 0 } } },
  });
  const reapplied = await BoundTopic.apply(harness, only);
  const texts = (await reapplied.results(2)).map(textOf);
  assert.deepEqual(texts.sort(), [
    '{"a":1,"b":{"c":4},"kind":"red","d":-1,"largest":3,"scaled":[1,2,3,-1]}',
    '{"first":2}',
  ]);
});

test('a binding without its model waits and reports it; it resumes with another version', async () => {
  const bound = await BoundTopic.apply(harness, scaleBinding('waits'));
  await bound.send([{ value: json(original(1)) }]);
  await bound.handled(1);
  await harness.removeModel('scale', '1');
  await bound.reports(node, 'WAITING', /model 'scale'/);
  await bound.send([{ value: json(original(5)) }]);
  await harness.addModel('scale', '2');
  const results = await bound.results(2);
  assert.deepEqual(results.map(({ headers }) => headerText(headers, 'partitura-model-version')).sort(), [
    '1',
    '2',
  ]);
  await harness.addModel('scale', '1');
});

test('a binding that cannot run reports the reason, runs once it is fixed, and affects no other', async () => {
  const wrong = await BoundTopic.apply(harness, scaleBinding('wrong', { inputs: { z: ['a'] } }));
  await wrong.reports(node, 'FAILED', /inputs: expected those of model 'scale', 'x', got 'z'/);
  const mended = await BoundTopic.apply(harness, scaleBinding('wrong'));
  await mended.send([{ value: json(original(1)) }]);
  await mended.handled(1);
  const unknown = await BoundTopic.apply(harness, scaleBinding('unknown', { model: 'nobody' }));
  await unknown.reports(node, 'WAITING', /nobody/);
  const field = await BoundTopic.apply(
    harness,
    scaleBinding('field', { output: { topic: 'field-out', fields: { x: { take: 9 } } } }),
  );
  await field.reports(node, 'FAILED', /output\.fields\.x: expected take: an element of \[4\], got 9/);
});
