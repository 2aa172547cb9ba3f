import assert from 'node:assert/strict';
import { test } from 'node:test';
import avro, { type Schema } from 'avsc';
import { requestCodec } from '../codecs.js';
import type { InferenceRequest } from '../generated.js';
import { AvroCodec } from './codec.js';
import { EXTERNAL_SCHEMA_OPTIONS } from './external.js';
import { fullNameOf, holdsItself, readableSchema, safeName } from './writer-schema.js';

const TENSOR = tensorSchema();
const DATA = Buffer.from([0, 0, 0xc0, 0x3f]);
const VALUE = { id: 'r', model: 'm', inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: DATA }] };

function tensorSchema(namespace = 'partitura', shape: unknown = 'long'): object {
  const fields = [
    { name: 'name', type: 'string' },
    { name: 'datatype', type: 'string' },
    { name: 'shape', type: { type: 'array', items: shape } },
    { name: 'data', type: 'bytes' },
  ];
  return { type: 'record', name: 'Tensor', namespace, fields };
}

function requestSchema(more: readonly object[] = [], changes: object = {}, inputs: object = TENSOR): object {
  const fields = [
    { name: 'id', type: 'string' },
    { name: 'model', type: 'string' },
    { name: 'inputs', type: { type: 'array', items: inputs } },
    ...more,
  ];
  return { type: 'record', name: 'InferenceRequest', namespace: 'partitura', fields, ...changes };
}

/** Encodes a value with a writer's schema and reads it; `written` is an equivalent that avsc can encode. */
function read(schema: object, value: unknown, written: object = schema): InferenceRequest {
  const bytes = avro.Type.forSchema(written as Schema, { wrapUnions: 'always' }).toBuffer(value);
  return requestCodec.decode(bytes, 0, requestCodec.readerFor(schema as Schema, []));
}

test('requests are read by the rules of schema resolution, from any writer', () => {
  const other = { namespace: 'com.shop' };
  const nullLast = { name: 'modelVersion', type: ['string', 'null'], default: '1' };
  const nullableMap = {
    name: 'parameters',
    type: ['null', { type: 'map', values: 'string' }],
    default: null,
  };
  const writers: [string, InferenceRequest][] = [
    ['plain', read(requestSchema(), VALUE)],
    ['another namespace', read(requestSchema([], other, tensorSchema('com.shop')), VALUE)],
    [
      'no namespace',
      read(
        requestSchema([], { namespace: null }, tensorSchema('')),
        VALUE,
        requestSchema([], { namespace: '' }, tensorSchema('')),
      ),
    ],
    ['a shape of int', read(requestSchema([], {}, tensorSchema('partitura', 'int')), VALUE)],
    [
      'a union around the record',
      read(['null', requestSchema()] as object, { 'partitura.InferenceRequest': VALUE }),
    ],
    ['a union with null last', read(requestSchema([nullLast]), { ...VALUE, modelVersion: null })],
    ['a nullable map that is null', read(requestSchema([nullableMap]), { ...VALUE, parameters: null })],
  ];
  for (const [name, request] of writers) {
    const { id, model, modelVersion, inputs, outputs, parameters, deadline } = request;
    assert.deepEqual(
      [id, model, modelVersion, outputs, parameters, deadline],
      ['r', 'm', null, [], {}, null],
      name,
    );
    assert.deepEqual({ ...inputs[0] }, VALUE.inputs[0], name);
  }
  const given = read(requestSchema([nullableMap]), { ...VALUE, parameters: { map: { a: 'b' } } });
  assert.deepEqual({ ...given.parameters }, { a: 'b' });
});

test('defaults of the writer are irrelevant, even if they do not match their types', () => {
  const note = (more: object): object => requestSchema([{ name: 'note', type: 'string', ...more }]);
  assert.equal(read(note({ default: null }), { ...VALUE, note: 'n' }, note({})).id, 'r');
});

test('an unreadable union branch is an error only for values of that branch', () => {
  const version = requestSchema([{ name: 'modelVersion', type: ['null', 'string', 'int'] }]);
  assert.equal(read(version, { ...VALUE, modelVersion: { string: '2' } }).modelVersion, '2');
  assert.throws(() => read(version, { ...VALUE, modelVersion: { int: 2 } }), /cannot read "int" as/);
  const event = { type: 'record', name: 'Event', fields: [] };
  const either = ['null', event, requestSchema()] as object;
  assert.equal(read(either, { 'partitura.InferenceRequest': VALUE }).id, 'r');
  for (const wrong of [null, { Event: {} }]) assert.throws(() => read(either, wrong), /cannot read|no alias/);
  for (const wrong of ['null', event, ['null', event], { type: 'map', values: 'string' }])
    assert.throws(() => requestCodec.readerFor(wrong as Schema, []), /cannot read|no alias/);
});

test('irrelevant names are not validated', () => {
  const origin = {
    type: 'record',
    name: 'Origin',
    namespace: 'com.my-company',
    fields: [{ name: 'a-b', type: 'int' }],
  };
  const kind = { type: 'enum', name: 'kind.of-thing', symbols: ['in stock', 'größe'] };
  const text = { type: 'record', name: 'string', namespace: 'com.my-company', fields: [] };
  const more = [origin, kind, text, 'com.my-company.Origin'].map((type, index) => ({
    name: `f-${index}`,
    type,
  }));
  const schema = requestSchema(more);
  const written = readableSchema(schema as Schema);
  const value = { ...VALUE, f_x2d_0: { a_x2d_b: 1 }, f_x2d_1: 'S1', f_x2d_2: {}, f_x2d_3: { a_x2d_b: 2 } };
  assert.equal(read(schema, value, written as object).id, 'r');
  const codec = new AvroCodec<Record<string, unknown>>(written, [], EXTERNAL_SCHEMA_OPTIONS);
  const bytes = avro.Type.forSchema(written).toBuffer(value);
  assert.equal(codec.decode(bytes)['f_x2d_1'], 'größe');
});

test('valid names are unchanged, and others become distinct valid names', () => {
  const odd = ['a-b', 'a b', 'größe', '1a', 'a.b', '', '😀', 'a-b-c'];
  const spelled = odd.map(safeName);
  assert.deepEqual(spelled.slice(0, 4), ['a_x2d_b', 'a_x20_b', 'gr_xf6__xdf_e', '_1a']);
  for (const name of spelled) assert.match(name, /^[A-Za-z_][A-Za-z0-9_]*$/);
  assert.equal(new Set(spelled).size, odd.length);
  assert.deepEqual(['a', '_b', 'C1'].map(safeName), ['a', '_b', 'C1']);
});

test('references resolve in their enclosing namespace, and so do the definitions of references', () => {
  const inner = { type: 'record', name: 'Inner', fields: [{ name: 'n', type: 'int' }] };
  const fields = [
    { name: 'a', type: inner },
    { name: 'b', type: 'Inner' },
    { name: 'c', type: 'com.my-shop.Inner' },
  ];
  const schema = { type: 'record', name: 'Outer', namespace: 'com.my-shop', fields } as never;
  const type = avro.Type.forSchema(readableSchema(schema));
  assert.deepEqual(JSON.parse(JSON.stringify(type.fromBuffer(Buffer.from([2, 4, 6])))), {
    a: { n: 1 },
    b: { n: 2 },
    c: { n: 3 },
  });
});

test('a schema that is nested too deeply is refused with a clear message', () => {
  let deep: unknown = 'int';
  for (let depth = 0; depth < 100_000; depth++) deep = { type: 'array', items: deep };
  assert.throws(() => readableSchema(deep as Schema), /expected a schema nested at most 200 deep, got more/);
});

test('a record is recursive only if it is referenced within itself, regardless of similar names', () => {
  const record = (name: string, type: unknown, namespace?: string): Schema =>
    ({ type: 'record', name, namespace, fields: [{ name: 'f', type }] }) as never;
  const innerRecord = { type: 'record', name: 'record_f', fields: [] };
  const sameLastPart = { type: 'record', name: 'Node', namespace: 'other', fields: [] };
  const holding: [Schema, boolean][] = [
    [record('record', innerRecord, 'org.apache.flink.avro.generated'), false],
    [record('array', { type: 'array', items: 'int' }), false],
    [record('Node', sameLastPart, 'a'), false],
    [record('Node', ['null', 'other.Node'], 'a'), false],
    [record('Node', ['null', 'Node'], 'a'), true],
    [record('Node', { type: 'map', values: 'a.Node' }, 'a'), true],
    [
      record('a.Node', { ...innerRecord, fields: [{ name: 'g', type: { type: 'array', items: 'Node' } }] }),
      true,
    ],
  ];
  for (const [schema, expected] of holding)
    assert.equal(holdsItself(schema), expected, JSON.stringify(schema));
  assert.equal(fullNameOf({ name: 'N', namespace: 'a.b' }), 'a.b.N');
});
