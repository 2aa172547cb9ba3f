import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicNames } from '../topics.js';
import { checkBinding, type BindingDefinition } from './definition.js';
import { refuseCircle, refuseReservedTopics } from './topics.js';

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

test('topics that the cluster needs for other things are not written to', () => {
  for (const topic of [
    'p.nodes',
    'p.bindings',
    'p.dead-letters',
    'p.client-replies',
    'p.m.requests',
    '__consumer_offsets',
  ]) {
    assert.throws(() => refuseReservedTopics(binding('b', 'i', topic), names), {
      code: 'INVALID_REQUEST',
      message: `output.topic: expected a topic of your own, got '${topic}', which is kept for other things`,
    });
    assert.throws(
      () => refuseReservedTopics(binding('b', 'i', 'o', { deadLetters: topic }), names),
      /^PartituraError: deadLetters: /,
    );
  }
  refuseReservedTopics(binding('b', 'p.m.requests', 'o'), names);
  refuseReservedTopics(binding('b', 'i', 'other.nodes'), names);
});

test('results may go on to other bindings, but not come back', () => {
  const others = [binding('x', 'b', 'c'), binding('y', 'c', 'd'), binding('z', 'c', 'e')];
  refuseCircle(binding('new', 'a', 'b'), others);
  assert.throws(() => refuseCircle(binding('new', 'e', 'b'), others), {
    code: 'INVALID_REQUEST',
    message: 'topics: expected none that leads back to the source, got e → b → c → e',
  });
  assert.throws(() => refuseCircle(binding('new', 'b-dlt', 'b'), others), /got b-dlt → b-dlt|deadLetters/);
  assert.throws(
    () => refuseCircle(binding('new', 'e', 'q', { deadLetters: 'b' }), others),
    /got e → b → c → e$/,
  );
  refuseCircle(binding('z', 'e', 'b'), others);
  refuseCircle(binding('new', 'q', 'b'), [...others, binding('w', 'd', 'b')]);
});
