import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkBinding, type Feature } from '../../cluster/bindings/definition.js';
import { AvroCodec } from '../../schemas/avro/codec.js';
import { EXTERNAL_SCHEMA_OPTIONS } from '../../schemas/avro/external.js';
import type { Datatype } from '../../schemas/datatypes.js';
import { decodeElements } from '../../schemas/tensor.js';
import { tensorOf, type Fields } from './features.js';

function features(...inputs: unknown[]): readonly Feature[] {
  const binding = checkBinding({
    name: 'b',
    source: { topic: 'i', format: 'json' },
    model: 'm',
    inputs: { x: inputs },
    output: { topic: 'o' },
  });
  return binding.inputs['x'] ?? [];
}

interface Wanted {
  readonly datatype?: Datatype;
  readonly shape?: readonly number[];
}

function row(
  fields: Fields,
  inputs: unknown[],
  { datatype = 'FP32', shape = [-1, inputs.length] }: Wanted = {},
): { shape: readonly number[]; elements: unknown[] } {
  const tensor = tensorOf({ name: 'x', datatype, shape }, features(...inputs), { fields, finite: false });
  return { shape: tensor.shape, elements: decodeElements(datatype, tensor.data) };
}

test('numbers, scaled numbers, booleans and nested fields become a row', () => {
  const fields = { a: 3, b: 10, c: true, d: { e: 5n } };
  const inputs = ['a', { field: 'b', subtract: 4, divide: 2 }, 'c', 'd.e'];
  assert.deepEqual(row(fields, inputs), { shape: [1, 4], elements: [3, 3, 1, 5] });
});

test('a value is one-hot encoded, or mapped by a table', () => {
  const oneHot = { field: 'color', oneHot: ['red', 'white', 7] };
  const lookup = { field: 'grade', lookup: { low: -1, high: 1 } };
  const shape = [-1, 4];
  assert.deepEqual(
    row({ color: 'white', grade: 'high' }, [oneHot, lookup], { shape }).elements,
    [0, 1, 0, 1],
  );
  assert.deepEqual(row({ color: 7n, grade: 'low' }, [oneHot, lookup], { shape }).elements, [0, 0, 1, -1]);
  const lenient = [
    { ...oneHot, otherwise: 'zeros' },
    { ...lookup, otherwise: 9 },
  ];
  assert.deepEqual(row({ color: 'blue', grade: 'x' }, lenient, { shape }).elements, [0, 0, 0, 9]);
  assert.throws(() => row({ color: 'blue', grade: 'low' }, [oneHot, lookup], { shape }), {
    code: 'INVALID_REQUEST',
    message: "field 'color': expected one of 'red', 'white', 7, got 'blue'",
  });
  assert.throws(() => row({ color: 'red', grade: 'toString' }, [oneHot, lookup], { shape }), {
    message: "field 'grade': expected one of 'low', 'high', got 'toString'",
  });
});

test("arrays, nested lists and bytes become rows in the model's shape", () => {
  const image = [
    [1, 2],
    [3, 4],
  ];
  const shape = [-1, 2, 2, 1];
  assert.deepEqual(row({ image }, [{ field: 'image', divide: 2 }], { shape }), {
    shape: [1, 2, 2, 1],
    elements: [0.5, 1, 1.5, 2],
  });
  const bytes = Buffer.from([9, 8]);
  assert.deepEqual(row({ bytes }, ['bytes'], { datatype: 'UINT8', shape: [-1, 2] }).elements, [9, 8]);
  assert.deepEqual(row({ list: [1, 2, 3] }, ['list'], { shape: [-1, -1] }).shape, [1, 3]);
  assert.deepEqual(row({ a: 4 }, ['a'], { shape: [-1] }), { shape: [1], elements: [4] });
  assert.throws(() => row({ list: [1, 2] }, [{ field: 'list', length: 3 }], { shape: [-1, 3] }), {
    message: "field 'list': expected 3 elements, got 2",
  });
  assert.throws(() => row({ list: [1, 2] }, ['list'], { shape: [-1, 3] }), {
    code: 'SHAPE_MISMATCH',
    message: "input 'x': expected 3 values, got 2",
  });
});

test('text is accepted only by models that take text', () => {
  const text = { datatype: 'BYTES' as const, shape: [-1, 1] };
  assert.deepEqual(row({ name: 'é' }, ['name'], text).elements, ['é']);
  assert.deepEqual(row({ name: Buffer.from('b') }, ['name'], text).elements, ['b']);
  assert.throws(() => row({ name: 'é' }, ['name']), { message: "field 'name': expected a number, got 'é'" });
  assert.throws(() => row({ name: 1 }, ['name'], text), {
    code: 'DATATYPE_MISMATCH',
    message: "field 'name' for input 'x', element 0: expected a string, got 1",
  });
});

test('missing and null values get their default, or are named in the error', () => {
  assert.deepEqual(
    row({ a: null }, [
      { field: 'a', default: 2, subtract: 1 },
      { field: 'b.c', default: 0 },
    ]).elements,
    [1, 0],
  );
  assert.throws(() => row({}, ['a']), { message: "field 'a': expected a value, got nothing" });
  assert.throws(() => row({}, ['constructor']), {
    message: "field 'constructor': expected a value, got nothing",
  });
  assert.throws(() => row({ a: {} }, ['a']), { message: /expected a number, got an object/ });
});

test('a number that the datatype cannot hold is named with its field', () => {
  assert.throws(() => row({ a: 300 }, ['a'], { datatype: 'UINT8' }), {
    code: 'DATATYPE_MISMATCH',
    message: "field 'a' for input 'x', element 0: expected UINT8, got 300",
  });
  const largest = { datatype: 'INT64' as const };
  assert.deepEqual(row({ a: 2n ** 62n }, ['a'], largest).elements, [2n ** 62n]);
});

test('values of Avro unions are unwrapped, and no integer loses digits', () => {
  const schema = {
    type: 'record',
    name: 'R',
    fields: [
      { name: 'maybe', type: ['null', 'double'] },
      { name: 'either', type: ['int', 'long', 'string'] },
      { name: 'list', type: { type: 'array', items: ['null', 'float'] } },
      {
        name: 'inner',
        type: ['null', { type: 'record', name: 'I', fields: [{ name: 'v', type: ['null', 'int'] }] }],
      },
      { name: 'color', type: { type: 'enum', name: 'C', symbols: ['RED', 'WHITE'] } },
      { name: 'large', type: 'long' },
    ],
  };
  const codec = new AvroCodec<Fields>(schema as never, [], EXTERNAL_SCHEMA_OPTIONS);
  const written = codec.encode(
    {
      maybe: { double: 1.5 },
      either: { long: 7 },
      list: [{ float: 2 }, { float: 3 }],
      inner: { I: { v: { int: 4 } } },
      color: 'WHITE',
      large: 2n ** 63n - 1n,
    },
    Buffer.alloc(0),
  );
  const fields = codec.decode(written);
  const color = { field: 'color', oneHot: ['RED', 'WHITE'] };
  assert.deepEqual(
    row(fields, ['maybe', 'either', 'list', 'inner.v', color], { shape: [-1, 7] }).elements,
    [1.5, 7, 2, 3, 4, 0, 1],
  );
  assert.deepEqual(row(fields, ['large'], { datatype: 'INT64' }).elements, [2n ** 63n - 1n]);
});

test('error messages distinguish the value from what was expected', () => {
  const choices = { field: 'color', oneHot: ['1', '2'] };
  assert.throws(() => row({ color: 1 }, [choices]), {
    message: "field 'color': expected one of '1', '2', got 1",
  });
  assert.throws(() => row({ a: [1, null] }, ['a'], { shape: [-1, 2] }), {
    message: "field 'a': expected a number, got null",
  });
});

test('lists nested too deeply are refused with their field', () => {
  let deep: unknown = 1;
  for (let depth = 0; depth < 20_000; depth++) deep = [deep];
  assert.throws(() => row({ a: deep }, ['a']), {
    code: 'INVALID_REQUEST',
    message: "field 'a': expected lists nested at most 64 deep, got more",
  });
});

test('a number that the input cannot hold is refused, before and after scaling', () => {
  const of = (value: unknown, feature: unknown, finite: boolean, datatype: Datatype = 'FP32'): unknown =>
    tensorOf({ name: 'x', datatype, shape: [-1, 1] }, features(feature), { fields: { a: value }, finite });
  const scaled = { field: 'a', divide: 1e-10 };
  for (const finite of [true, false]) {
    const beyond = {
      code: 'DATATYPE_MISMATCH',
      message: /^field 'a' for input 'x', element 0: .*out of range/,
    };
    assert.throws(() => of(1e39, 'a', finite), beyond);
    assert.throws(() => of(1e38, scaled, finite), beyond);
    assert.throws(() => of(1e300, scaled, finite, 'FP64'), {
      code: 'INVALID_REQUEST',
      message: /^field 'a': expected a number that can be scaled/,
    });
  }
  assert.throws(() => of(Infinity, 'a', true), { code: 'DATATYPE_MISMATCH' });
  of(Infinity, 'a', false);
});

test('a field is found by a name with dots, by the longest existing name, and by its path', () => {
  const cases: [Fields, string, number | undefined][] = [
    [{ 'a.b': 1 }, 'a.b', 1],
    [{ a: { b: 2 } }, 'a.b', 2],
    [{ 'a.b': 1, a: { b: 2 } }, 'a.b', 1],
    [{ 'a.b': { c: 3 } }, 'a.b.c', 3],
    [{ a: { 'b.c': 4 } }, 'a.b.c', 4],
    [{ 'a.b': 1, a: { b: { c: 5 } } }, 'a.b.c', 5],
    [{ a: 1 }, 'a.b', undefined],
    [{ a: {} }, 'a.toString', undefined],
  ];
  for (const [fields, path, expected] of cases) {
    const found = (): unknown => row(fields, [path], { shape: [-1, 1] }).elements[0];
    if (expected !== undefined) assert.equal(found(), expected, path);
    else assert.throws(found, { message: `field '${path}': expected a value, got nothing` });
  }
});

test('an Avro field with an encoded name is found by its original name', () => {
  const fields = { a_x2d_b: { 'c-d': 7 } };
  const source = { fields, finite: false, spell: (name: string) => name.replaceAll('-', '_x2d_') };
  const tensor = tensorOf({ name: 'x', datatype: 'FP32', shape: [-1, 1] }, features('a-b.c-d'), source);
  assert.deepEqual(decodeElements('FP32', tensor.data), [7]);
});
