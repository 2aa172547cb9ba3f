import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicNames } from '../topics.js';
import { checkBinding, type BindingDefinition } from './definition.js';
import { refuseCircle, refuseReservedTopics, refuseTopicsNotAllowed } from './topics.js';

const binding = (name: string, source: string, output: string, more: object = {}): BindingDefinition =>
  checkBinding({
    name,
    source: { topic: source, format: 'json' },
    model: 'm',
    inputs: { x: ['a'] },
    output: { topic: output },
    ...more,
  });
const names = topicNames('p');

test('topics of Partitura and of Kafka can be neither read nor written', () => {
  for (const [topic, owner] of [
    ['p.nodes', 'Partitura'],
    ['p.client-replies', 'Partitura'],
    ['p.m.requests', 'Partitura'],
    ['p.m.replies', 'Partitura'],
    ['p.m.requests-dlt', 'Partitura'],
    ['__consumer_offsets', 'Kafka'],
  ] as const) {
    const refusal = (field: string): object => ({
      code: 'INVALID_REQUEST',
      message: `${field}: expected a topic that is not reserved for ${owner}, got '${topic}'`,
    });
    assert.throws(() => refuseReservedTopics(binding('b', topic, 'o'), names), refusal('source.topic'));
    assert.throws(() => refuseReservedTopics(binding('b', 'i', topic), names), refusal('output.topic'));
    assert.throws(
      () => refuseReservedTopics(binding('b', 'i', 'o', { deadLetters: topic }), names),
      refusal('deadLetters'),
    );
  }
  refuseReservedTopics(binding('b', 'i', 'other.nodes'), names);
});

test('nodes run bindings only on topics of their allow-list, including dead letters', () => {
  const wine = binding('b', 'wine.in', 'wine.out');
  refuseTopicsNotAllowed(wine, ['wine.*']);
  assert.throws(() => refuseTopicsNotAllowed(wine, []), {
    code: 'INVALID_REQUEST',
    message:
      "source.topic: expected a topic that PARTITURA_BINDING_TOPICS of the nodes allows (none), got 'wine.in'",
  });
  assert.throws(
    () => refuseTopicsNotAllowed(binding('b', 'secret.in', 'wine.out'), ['wine.*']),
    /source.topic/,
  );
  assert.throws(
    () => refuseTopicsNotAllowed(wine, ['wine.in', 'wine.out']),
    /^PartituraError: deadLetters: .* got 'wine.out-dlt'$/,
  );
});

test('results may feed other bindings but not form a cycle', () => {
  const others = [binding('x', 'b', 'c'), binding('y', 'c', 'd'), binding('z', 'c', 'e')];
  refuseCircle(binding('new', 'a', 'b'), others);
  assert.throws(() => refuseCircle(binding('new', 'e', 'b'), others), {
    code: 'INVALID_REQUEST',
    message: 'topics: expected no cycle back to the source, got e → b → c → e',
  });
  assert.throws(() => refuseCircle(binding('new', 'b-dlt', 'b'), others), /got b-dlt → b-dlt|deadLetters/);
  assert.throws(
    () => refuseCircle(binding('new', 'e', 'q', { deadLetters: 'b' }), others),
    /got e → b → c → e$/,
  );
  refuseCircle(binding('z', 'e', 'b'), others);
  refuseCircle(binding('new', 'q', 'b'), [...others, binding('w', 'd', 'b')]);
});
