import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KafkaRecord, OutgoingRecord } from '../../kafka/port.js';
import { exampleRecord } from '../../testing/records.js';
import { collectDirectives, modelRecords, nodeRecord, type ModelChange } from './directives.js';

const BY = { requestedBy: 'ada', requestedAt: 1 };

/** Returns what is left after compaction: the last record of each key, with its offset. */
function compacted(written: readonly OutgoingRecord[]): KafkaRecord[] {
  const latest = new Map<string, KafkaRecord>();
  for (const [offset, { key, value }] of written.entries()) {
    latest.delete(String(key));
    latest.set(String(key), exampleRecord({ offset, key, value }));
  }
  return [...latest.values()];
}

const change = fc.oneof(
  fc.record({ loaded: fc.boolean() }),
  fc.record({ versionPolicy: fc.constantFrom('all', 'latest:2', null) }),
  fc.record({ labels: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2'), { maxKeys: 2 }) }),
);

/** Removes differences of prototypes. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

test('of any sequence of changes, also those that did not know each other, the last one of each aspect counts', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('x', 'y'), change)), (changes) => {
      const written = changes.flatMap(([model, one]) => modelRecords('t', model, one, BY));
      const directives = collectDirectives(compacted(written));
      for (const model of ['x', 'y']) {
        const own = changes.filter(([name]) => name === model).map(([, one]): ModelChange => one);
        const expected =
          own.length === 0 ? undefined : own.reduce<object>((all, one) => ({ ...all, ...one }), BASE);
        const found = directives.find(({ name }) => name === model)?.value;
        assert.deepEqual(plain(found), plain(expected));
      }
    }),
  );
});

const BASE = { ...BY, loaded: true, versionPolicy: null, labels: {} };

test('a record that holds several aspects counts where no later one has its own', () => {
  const whole = {
    topic: 't',
    key: Buffer.from('model/x'),
    value: Buffer.from('{"loaded":false,"labels":{"a":"1"}}'),
    headers: {},
  };
  const records = compacted([
    ...modelRecords('t', 'x', { versionPolicy: 'all', loaded: true }, BY),
    whole,
    ...modelRecords('t', 'x', { labels: { b: '2' } }, BY),
    nodeRecord('t', 'n', { ...BY, drained: true }),
  ]);
  assert.deepEqual(collectDirectives(records), [
    {
      kind: 'model',
      name: 'x',
      offset: 3,
      value: { ...BASE, loaded: false, versionPolicy: 'all', labels: { b: '2' } },
    },
    { kind: 'node', name: 'n', offset: 4, value: { ...BY, drained: true } },
  ]);
});

test('tombstones, unknown keys and other content are no directives', () => {
  const keys = ['model/x', 'model/x/other', 'model/x/labels/a', 'model/..', 'node', ''];
  const records = [
    ...keys.map((key) => exampleRecord({ key: Buffer.from(key), value: Buffer.from('[]') })),
    ...keys.slice(1).map((key) => exampleRecord({ key: Buffer.from(key), value: Buffer.from('{}') })),
    exampleRecord({ key: Buffer.from('model/x/labels'), value: null }),
    exampleRecord({ key: Buffer.from('model/x/labels'), value: Buffer.from('{"labels":{"a":"one"}}') }),
    exampleRecord({ key: null, value: Buffer.from('{}') }),
  ];
  assert.deepEqual(collectDirectives(records), []);
});
