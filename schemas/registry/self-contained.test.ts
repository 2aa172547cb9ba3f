import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AvroCodec } from '../avro/codec.js';
import { replyCodec, requestCodec } from '../codecs.js';
import { REPLY_SCHEMA, REQUEST_SCHEMA, selfContained } from './self-contained.js';

const record = (name: string, ...fields: object[]): never =>
  ({ type: 'record', name, namespace: 'n', fields }) as never;
const field = (name: string, type: unknown, more: object = {}): object => ({ name, type, ...more });

test('a named type is defined at its first use, and only there', () => {
  const leaf = record('Leaf', field('v', 'int'));
  const branch = record('Branch', field('leaf', ['null', 'n.Leaf'], { default: null, doc: 'n.Leaf' }));
  const tree = record(
    'Tree',
    field('branches', { type: 'array', items: 'n.Branch' }),
    field('leaves', { type: 'map', values: 'n.Leaf' }),
  );
  const expected = record(
    'Tree',
    field('branches', {
      type: 'array',
      items: record('Branch', field('leaf', ['null', leaf], { default: null, doc: 'n.Leaf' })),
    }),
    field('leaves', { type: 'map', values: 'n.Leaf' }),
  );
  assert.deepEqual(selfContained(tree, [leaf, branch]), expected);
});

test('the registered schema is the one we write with', () => {
  assert.deepEqual(new AvroCodec(REQUEST_SCHEMA).fingerprint, requestCodec.fingerprint);
  assert.deepEqual(new AvroCodec(REPLY_SCHEMA).fingerprint, replyCodec.fingerprint);
  assert.match(JSON.stringify(REQUEST_SCHEMA), /"logicalType":"timestamp-millis"/);
});
