import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkBinding, deadLetterTopic, outputFormat, parseBinding, revisionOf } from './definition.js';

const LEAST = `
name: wine
source: { topic: wine.in, format: json }
model: wine
inputs: { x: [alcohol] }
output: { topic: wine.out }
`;

/** Changes the minimal binding and returns the resulting error. */
function problemOf(changes: object): string {
  try {
    checkBinding({ ...(parseBinding(LEAST) as object), ...changes });
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing';
}

test('a minimal binding is completed with defaults', () => {
  const binding = parseBinding(LEAST);
  assert.deepEqual(binding.inputs['x'], [{ field: 'alcohol', subtract: 0, divide: 1 }]);
  assert.deepEqual(
    [binding.source.from, binding.output.record, outputFormat(binding), deadLetterTopic(binding)],
    ['earliest', 'enriched', 'json', 'wine.out-dlt'],
  );
  assert.equal(binding.exactlyOnce, false);
});

test('checking a checked binding again, as stored in the cluster, changes nothing', () => {
  const binding = parseBinding(LEAST);
  const kept = checkBinding(JSON.parse(JSON.stringify(binding)));
  assert.deepEqual(kept, binding);
  assert.equal(revisionOf(kept), revisionOf(binding));
  assert.notEqual(revisionOf({ ...binding, exactlyOnce: true }), revisionOf(binding));
});

test('a version can be written as a number', () => {
  assert.equal(parseBinding(`${LEAST}version: 2`).version, '2');
});

test('every problem is reported with its path', () => {
  assert.match(problemOf({ sorce: 1 }), /Unrecognized key: "sorce"/);
  assert.match(problemOf({ name: 'a b', model: 1 }), /name: expected letters.*; model: /);
  assert.match(problemOf({ inputs: { x: [] } }), /inputs\.x: /);
  assert.match(problemOf({ inputs: { x: [{ field: 'a', divide: 0 }] } }), /expected a number other than 0/);
  const topic = 'wine.in';
  assert.match(
    problemOf({ output: { topic } }),
    /output\.topic: expected a topic different from source\.topic/,
  );
  assert.throws(() => parseBinding('a: [1'), { code: 'INVALID_REQUEST', message: /binding: expected YAML/ });
  assert.throws(() => parseBinding(''), { code: 'INVALID_REQUEST' });
});

test('contradictory settings are refused', () => {
  const feature = (more: object): string => problemOf({ inputs: { x: [{ field: 'a', ...more }] } });
  assert.match(feature({ oneHot: ['a'], lookup: { a: 1 } }), /expected oneHot or lookup, got both/);
  assert.match(feature({ otherwise: 1 }), /otherwise: expected a number with lookup, or zeros with oneHot/);
  assert.match(feature({ oneHot: ['a'], otherwise: 1 }), /otherwise/);
  const output = (more: object): string => problemOf({ output: { topic: 'o', ...more } });
  assert.match(output({ format: 'avro' }), /output\.record: expected prediction/);
  assert.equal(output({ format: 'avro', record: 'prediction' }), 'nothing');
  for (const deadLetters of ['wine.in', 'wine.out'])
    assert.match(problemOf({ deadLetters }), /deadLetters: expected a topic different from source/);
  assert.match(output({ fields: { a: { labels: ['x'] } } }), /labels only with take: argmax/);
  const source = { topic: 'i', format: 'avro' };
  assert.match(
    problemOf({ source, output: { topic: 'o', format: 'json' } }),
    /output\.format: expected avro/,
  );
});
