import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { checkBinding } from '../../cluster/bindings/definition.js';
import { bindingRecord } from '../../cluster/bindings/store.js';
import type { InferenceNode } from '../../consumers/node/node.js';
import { BoundTopic } from '../support/bound-topic.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';

/** Cluster with bindings applied by a user with rights on the bindings topic only. */
let harness: Harness;
let node: InferenceNode;
before(async () => {
  harness = await Harness.start(['scale-onnx'], { bindingTopics: 'open.*' });
  node = await harness.node();
});
after(() => harness.close());

const binding = (name: string, source: string, output: string): object => ({
  name,
  source: { topic: source, format: 'json' },
  model: 'scale-onnx',
  inputs: { x: [{ field: 'values', length: 4 }] },
  output: { topic: output },
});

const stateOf = (name: string): string | undefined =>
  node.status().bindings.find((status) => status.binding === name)?.state;

const values = { value: Buffer.from(JSON.stringify({ values: [1, 2, 3, 4] })) };

for (const [name, source, output, refusal] of [
  ['internal', '__consumer_offsets', 'open.out', /^source.topic: .* not reserved for Kafka/],
  ['requests', 'partitura.scale-onnx.requests', 'open.out', /^source.topic: .* not reserved for Partitura/],
  ['forged', 'open.in', 'partitura.client-replies', /^output.topic: .* not reserved for Partitura/],
  ['secret', 'secret.salaries', 'open.out', /^source.topic: expected a topic that PARTITURA_BINDING_TOPICS/],
  ['outside', 'open.in', 'elsewhere', /^output.topic: expected a topic that PARTITURA_BINDING_TOPICS/],
] as const)
  test(`a binding from ${source} to ${output} does not run and reports the reason`, async () => {
    const applied = checkBinding(binding(name, source, output));
    const producer = harness.kafka.producer();
    await producer.connect();
    await producer.send([bindingRecord(harness.topics.bindings, applied)]);
    await producer.close();
    await eventually('it is refused', () => stateOf(name) === 'FAILED');
    const status = node.status().bindings.find((found) => found.binding === name);
    assert.match(status?.message ?? '', refusal);
  });

test('the second of two bindings in a cycle does not run until the first is removed', async () => {
  const there = await BoundTopic.apply(harness, binding('there', 'open.a', 'open.b'));
  await there.running(node);
  const back = await BoundTopic.apply(harness, binding('back', 'open.b', 'open.a'));
  await back.reports(
    node,
    'FAILED',
    /^topics: expected no cycle back to the source, got open.b → open.a → open.b$/,
  );
  await there.send([values]);
  assert.equal((await there.results(1)).length, 1);
  await there.remove();
  await back.running(node);
});

test('a record whose key is not the name of its binding applies nothing', async () => {
  const producer = harness.kafka.producer();
  await producer.connect();
  const record = bindingRecord(harness.topics.bindings, checkBinding(binding('wine', 'open.c', 'open.d')));
  await producer.send([{ ...record, key: Buffer.from('beer') }]);
  await producer.close();
  const valid = await BoundTopic.apply(harness, binding('valid', 'open.e', 'open.f'));
  await valid.running(node);
  assert.deepEqual([stateOf('wine'), stateOf('beer')], [undefined, undefined]);
});
