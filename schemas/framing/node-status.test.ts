import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import type { Schema } from 'avsc';
import { AvroCodec } from '../avro/codec.js';
import { NodeStatusSchema, type NodeStatus } from '../generated.js';
import { plain } from '../../testing/requests.js';
import { decodeNodeStatus, encodeNodeStatus, NODE_STATUS_HEADERS } from './node-status.js';

const STATUS: NodeStatus = {
  node: 'n',
  host: 'h',
  startedAt: 1,
  beatAt: 2,
  state: 'READY',
  models: [],
  partitions: [{ topic: 't', partition: 3, lagRecords: 8 }],
  bindings: [],
  inflightRequests: 4,
  inflightBytes: 5,
  serviceMicros: 6.5,
  controlOffset: 0,
  capacityRequests: 7,
  skippedFolders: [],
};

const fields: readonly { readonly name: string }[] = NodeStatusSchema.fields;

/** Encodes a record as another version writes it. */
function written(schema: object, status: object): { value: Buffer; schema: Buffer } {
  const codec = new AvroCodec<unknown>(schema as Schema);
  const prefix = Buffer.concat([Buffer.from('c301', 'hex'), codec.fingerprint]);
  return { value: codec.encode(status, prefix), schema: deflateRawSync(codec.canonicalSchema) };
}

const later = written(
  { ...NodeStatusSchema, fields: [...fields, { name: 'zone', type: 'string', default: '' }] },
  { ...STATUS, zone: 'a' },
);
const earlier = written(
  { ...NodeStatusSchema, fields: fields.filter(({ name }) => name !== 'capacityRequests') },
  STATUS,
);

test('a status of this version is read with and without its headers', () => {
  for (const headers of [NODE_STATUS_HEADERS, {}])
    assert.deepEqual(plain(decodeNodeStatus(encodeNodeStatus(STATUS), headers)), STATUS);
});

test('a status of another version is read only with its schema', () => {
  const refused = {
    code: 'DECODE_FAILED',
    message: /^schema fingerprint \w+ \(NodeStatus\) expected, got \w+$/,
  };
  assert.throws(() => decodeNodeStatus(later.value), refused);
  assert.deepEqual(plain(decodeNodeStatus(later.value, { 'avro.schema': later.schema })), STATUS);
  assert.deepEqual(plain(decodeNodeStatus(earlier.value, { 'avro.schema': earlier.schema })), {
    ...STATUS,
    capacityRequests: 0,
  });
});

test('the header holds the schema that another version needs', () => {
  const value = encodeNodeStatus(STATUS);
  const other = new AvroCodec<unknown>({
    ...NodeStatusSchema,
    fields: fields.slice(0, 2),
  } as unknown as Schema);
  const ours = new AvroCodec<unknown>(NodeStatusSchema as unknown as Schema);
  assert.deepEqual(NODE_STATUS_HEADERS['avro.schema'], deflateRawSync(ours.canonicalSchema));
  const reader = other.readerFor(JSON.parse(ours.canonicalSchema) as Schema);
  assert.deepEqual(plain(other.decode(value, 10, reader)), { node: 'n', host: 'h' });
});

test('a header that is corrupted, too large or of an incompatible schema hides only its own record', () => {
  const strange = written({ type: 'record', name: 'Other', fields: [{ name: 'x', type: 'int' }] }, { x: 1 });
  const wrong: [Buffer, Buffer][] = [
    [strange.value, strange.schema],
    [strange.value, Buffer.from('no deflate')],
    [strange.value, deflateRawSync(Buffer.alloc(1_000_000, ' '))],
    [strange.value, later.schema],
    [Buffer.from('c30101', 'hex'), later.schema],
    [later.value.subarray(0, 20), later.schema],
  ];
  for (const [value, schema] of wrong)
    assert.throws(() => decodeNodeStatus(value, { 'avro.schema': schema }), { code: 'DECODE_FAILED' });
});

test('the number of unusable schemas examined is limited; schemas already known are still read', () => {
  const newest = written(
    { ...NodeStatusSchema, fields: [...fields, { name: 'rack', type: 'string', default: '' }] },
    { ...STATUS, rack: 'a' },
  );
  for (let index = 0; index < 100; index++)
    assert.throws(() => decodeNodeStatus(newest.value, { 'avro.schema': deflateRawSync(`${index}`) }));
  assert.throws(() => decodeNodeStatus(newest.value, { 'avro.schema': newest.schema }), {
    code: 'DECODE_FAILED',
  });
  assert.deepEqual(plain(decodeNodeStatus(later.value)), STATUS);
});
